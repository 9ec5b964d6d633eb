import { parse } from 'yaml';
import { quickYaml } from '../spec/quick-yaml.ts';

/** What programs wrote: nobody asks where in it something stands. Throws for what is no YAML. */
export function yamlData(text: string): unknown {
  const quick = quickYaml(text);
  return quick === undefined ? parse(text) : quick.data;
}
