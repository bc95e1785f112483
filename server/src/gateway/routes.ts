import type { Method, Operation } from '@damask/contracts/operation.ts';
import { permissions } from '@damask/contracts/permissions.ts';

export interface Route {
  readonly service: string;
  readonly name: string;
  readonly operation: Operation;
}

interface Node {
  readonly fixed: Map<string, Node>;
  readonly methods: Map<Method, Route>;
  parameter?: { readonly name: string; readonly node: Node };
}

export interface Match {
  /** By method; which methods an address takes. */
  readonly methods: ReadonlyMap<Method, Route>;
  /** Raw, as they stand in the address. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface RouteTable {
  readonly all: readonly Route[];
  find(path: string): Match | undefined;
}

/**
 * Every public operation by its path. Throws when an operation names no known permission or two share an address:
 * the server does not start with a route that nobody guards.
 */
export function buildRoutes(services: Readonly<Record<string, Readonly<Record<string, Operation>>>>): RouteTable {
  const root = newNode();
  const all: Route[] = [];
  for (const [service, operations] of Object.entries(services)) {
    for (const [name, operation] of Object.entries(operations)) {
      requireKnownPermission(service, name, operation);
      if (operation.permission === 'internal') continue;
      const route = { service, name, operation };
      const node = nodeFor(root, operation.path);
      if (node.methods.has(operation.method)) throw new Error(`${operation.method} ${operation.path} is defined twice`);
      node.methods.set(operation.method, route);
      all.push(route);
    }
  }
  return { all, find: (path) => find(root, path) };
}

function requireKnownPermission(service: string, name: string, operation: Operation) {
  const known: readonly string[] = [...permissions, 'public', 'account', 'internal'];
  if (!known.includes(operation.permission)) {
    throw new Error(
      `${service}.${name} (${operation.method} ${operation.path}) names no known permission. Give it one in contracts/src/${service}.ts.`,
    );
  }
}

function newNode(): Node {
  return { fixed: new Map(), methods: new Map() };
}

function nodeFor(root: Node, path: string): Node {
  let node = root;
  for (const segment of path.slice(1).split('/')) {
    const parameter = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (parameter) {
      node.parameter ??= { name: parameter, node: newNode() };
      if (node.parameter.name !== parameter) throw new Error(`${path} names a parameter in two ways`);
      node = node.parameter.node;
    } else {
      const next = node.fixed.get(segment) ?? newNode();
      node.fixed.set(segment, next);
      node = next;
    }
  }
  return node;
}

function find(root: Node, path: string): Match | undefined {
  // An address without a path is that of the first page; `*` and the like are none.
  if (path !== '' && !path.startsWith('/')) return undefined;
  let node = root;
  const parameters: Record<string, string> = {};
  for (const segment of path.slice(1).split('/')) {
    const fixed = node.fixed.get(segment);
    if (fixed) {
      node = fixed;
    } else if (node.parameter && segment !== '') {
      parameters[node.parameter.name] = segment;
      node = node.parameter.node;
    } else {
      return undefined;
    }
  }
  return node.methods.size > 0 ? { methods: node.methods, parameters } : undefined;
}
