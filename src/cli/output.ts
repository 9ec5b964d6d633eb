import { Option } from 'commander';

/** `--output text|json`, the same on every command. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print the result').choices(['text', 'json']).default('text');
}
