/** Many statements by the text their resources begin with: a request meets only those it could match. */
import type { CompiledStatement } from './compile.ts'

/** Below this a walk is faster than a search. */
const WALKED_MAX = 8

export class ResourceIndex {
  readonly all: readonly CompiledStatement[]
  /** Those that may match any resource. */
  readonly #anywhere: readonly CompiledStatement[]
  readonly #root: Node | undefined

  constructor(statements: readonly CompiledStatement[]) {
    this.all = statements
    if (statements.length <= WALKED_MAX) {
      this.#anywhere = statements
      return
    }
    const anywhere: CompiledStatement[] = []
    this.#root = node('')
    for (const statement of statements) {
      const { prefixes } = statement
      if (prefixes.length === 0) anywhere.push(statement)
      else for (const prefix of new Set(prefixes)) insert(this.#root, prefix, statement)
    }
    this.#anywhere = anywhere
  }

  find(resource: string, test: (statement: CompiledStatement) => boolean): CompiledStatement | undefined {
    const anywhere = this.#anywhere
    for (let i = 0; i < anywhere.length; i++) if (test(anywhere[i]!)) return anywhere[i]
    let at = 0
    for (let here = this.#root; here !== undefined; ) {
      const { statements } = here
      for (let i = 0; i < statements.length; i++) if (test(statements[i]!)) return statements[i]
      const next = here.children.get(resource.charCodeAt(at))
      if (next === undefined || !resource.startsWith(next.edge, at)) return undefined
      at += next.edge.length
      here = next
    }
    return undefined
  }
}

/** A radix tree: no two children of a node begin with the same character. */
interface Node {
  edge: string
  statements: CompiledStatement[]
  children: Map<number, Node>
}

function node(edge: string): Node {
  return { edge, statements: [], children: new Map() }
}

function insert(root: Node, prefix: string, statement: CompiledStatement): void {
  let here = root
  let at = 0
  while (at < prefix.length) {
    const code = prefix.charCodeAt(at)
    const next = here.children.get(code)
    if (!next) {
      const leaf = node(prefix.slice(at))
      here.children.set(code, leaf)
      leaf.statements.push(statement)
      return
    }
    const shared = sharedLength(next.edge, prefix, at)
    here = shared === next.edge.length ? next : split(here, next, shared)
    at += shared
  }
  here.statements.push(statement)
}

function sharedLength(edge: string, prefix: string, at: number): number {
  let shared = 0
  while (shared < edge.length && edge.charCodeAt(shared) === prefix.charCodeAt(at + shared)) shared++
  return shared
}

/** The child keeps the rest of its edge, under a new node for the part that is shared. */
function split(parent: Node, child: Node, shared: number): Node {
  const middle = node(child.edge.slice(0, shared))
  parent.children.set(middle.edge.charCodeAt(0), middle)
  child.edge = child.edge.slice(shared)
  middle.children.set(child.edge.charCodeAt(0), child)
  return middle
}
