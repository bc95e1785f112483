import { type LockedPackage, lockedPackages, type PackageLock, placesOf } from './package-locks.ts';

/**
 * The bill of materials in CycloneDX 1.5, from the lock files alone: no network, no clock, and the same text for the same
 * locks. Tools of the house have the scope `excluded`, since they are not there at run time.
 */
export function generateSbom(locks: readonly PackageLock[]): string {
  const packages = lockedPackages(locks);
  const known = new Set(packages.map(refOf));
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: {
        'bom-ref': 'damask',
        type: 'application',
        name: 'damask',
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: packages.map(describe),
    dependencies: packages.map((one) => ({ ref: refOf(one), dependsOn: uses(one, known) })),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

const refOf = ({ part, path }: Pick<LockedPackage, 'part' | 'path'>) => `${part}:${path}`;

function describe(one: LockedPackage): object {
  const { name, version = '', license, integrity } = one;
  const [group, bare] = name.startsWith('@') ? (name.split('/') as [string, string]) : [undefined, name];
  return {
    type: 'library',
    'bom-ref': refOf(one),
    ...(group ? { group } : {}),
    name: bare,
    version,
    scope: one.dev ? 'excluded' : one.optional ? 'optional' : 'required',
    ...(integrity ? { hashes: [hashOf(integrity)] } : {}),
    ...(license ? { licenses: [licenseOf(license)] } : {}),
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
  };
}

function hashOf(integrity: string): object {
  const [algorithm, digest = ''] = integrity.split('-');
  return { alg: algorithm?.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
}

/** One licence by its id, several as the expression that the package wrote. */
function licenseOf(text: string): object {
  return /[ ()]/.test(text) ? { expression: text } : { license: { id: text } };
}

function uses(
  { part, path, dependencies = {}, optionalDependencies = {} }: LockedPackage,
  known: Set<string>,
): string[] {
  const found = Object.keys({ ...dependencies, ...optionalDependencies }).map((name) =>
    placesOf(path)
      .map((place) => refOf({ part, path: `${place}node_modules/${name}` }))
      .find((ref) => known.has(ref)),
  );
  return [...new Set(found.filter((ref) => ref !== undefined))].sort();
}
