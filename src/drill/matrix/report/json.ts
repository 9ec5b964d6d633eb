import { type Cell, commandOf, noPreset } from '../cell.ts';
import { predict } from '../predict.ts';
import type { BalancerOf } from './table.ts';

/** Pure: docs/availability.json, one cell a line, so that two runs can be compared. */
export function availabilityJson(cells: readonly Cell[], machine: string, balancerOf: BalancerOf): string {
  const lines = cells.map((cell) => {
    const balancer = cell.preset === noPreset ? undefined : balancerOf(cell.preset);
    const clients = cell.clients.map((seen) => ({
      ...seen,
      predicted: predict(cell.variant, balancer, cell.fault, seen.client) ?? 'not reckoned',
    }));
    return `    ${JSON.stringify({ ...cell, clients, command: commandOf(cell) })}`;
  });
  return `{\n  "machine": ${JSON.stringify(machine)},\n  "cells": [\n${lines.join(',\n')}\n  ]\n}\n`;
}
