import { expect, test } from 'vitest';
import { errorCodes } from '../../../src/errors/codes.ts';
import { sourceFiles } from '../../support/imports.ts';

test('error codes are sorted, so that two changes rarely meet on one line', () => {
  const codes = Object.keys(errorCodes);
  expect(codes).toEqual(codes.toSorted());
});

test('every error code is used somewhere', () => {
  const text = sourceFiles()
    .filter((file) => file.path !== 'src/errors/codes.ts')
    .map((file) => file.text)
    .join('\n');
  expect(Object.keys(errorCodes).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});
