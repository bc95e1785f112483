import type { PatternVersion } from '@damask/contracts/pattern.ts';
import { readPatternYaml } from '../yaml/pattern-yaml.ts';
import { derivedDescription } from './derived-text.ts';
import type { KnownAbout } from './version-content.ts';

/** What a version says of itself that stands in none of its files: an import took it from Fabric's list of descriptions. */
export function knownOutside({
  description,
  tags,
  files,
}: Pick<PatternVersion, 'description' | 'tags' | 'files'>): KnownAbout {
  const textOf = (path: string) => files.find((file) => file.path === path)?.content ?? '';
  const { yaml } = readPatternYaml(textOf('pattern.yaml'));
  const inFiles = yaml.description || derivedDescription(textOf('system.md'), yaml.template);
  return {
    ...(description !== inFiles && { description }),
    ...(yaml.tags === undefined && { tags }),
  };
}
