/** awsQuery and ec2Query requests: form pairs to a tree, and the tree to typed input. */
import { DEPTH_MAX, keyOfMap, serializationFault } from './serialization.ts'
import type { Member, Shape } from './shape.ts'
import { fromText } from './xml.ts'

/** `Tags.member.1.Key=a` as nested branches. */
export interface FormTree {
  value?: string
  branches?: Map<string, FormTree>
}

export interface QueryStyle {
  /** ec2Query flattens every list and capitalises names. */
  readonly ec2: boolean
}

const POSITION = /^\d{1,6}$/

export function formTree(body: string): FormTree {
  const root: FormTree = {}
  for (const pair of body.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeForm(equals < 0 ? pair : pair.slice(0, equals))
    let node = root
    const segments = name.split('.')
    if (segments.length > 2 * DEPTH_MAX) throw serializationFault('The request is nested too deeply')
    for (const segment of segments) {
      node.branches ??= new Map()
      let next = node.branches.get(segment)
      if (!next) {
        next = {}
        node.branches.set(segment, next)
      }
      node = next
    }
    node.value = equals < 0 ? '' : decodeForm(pair.slice(equals + 1))
  }
  return root
}

export function decodeForm(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw serializationFault('The request contains a broken percent encoding')
  }
}

export function fromQuery(shape: Shape, tree: FormTree, style: QueryStyle, member?: Member, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw serializationFault('The request is nested too deeply')
  const compound = shape.kind === 'list' || shape.kind === 'map' || shape.kind === 'struct' || shape.kind === 'union'
  // An empty text is how clients write an empty list.
  if (compound && tree.value) throw serializationFault('Text found where a structure, list or map was expected')
  if (!compound && tree.value === undefined)
    throw serializationFault('Start of structure or map found where not expected')
  switch (shape.kind) {
    case 'list': {
      const flat = style.ec2 || shape.traits.xmlFlattened || member?.traits.xmlFlattened
      const items = flat ? tree.branches : itemsOf(tree, shape)
      return [...(items ?? [])]
        .filter(([position]) => POSITION.test(position))
        .map(([position, item]) => [Number(position), item] as const)
        .sort(([a], [b]) => a - b)
        .map(([, item]) => fromQuery(shape.value.shape, item, style, shape.value, depth + 1))
    }
    case 'map': {
      const flat = shape.traits.xmlFlattened || member?.traits.xmlFlattened
      const entries = flat ? tree.branches : tree.branches?.get('entry')?.branches
      const out: Record<string, unknown> = {}
      for (const entry of entries?.values() ?? []) {
        const name = entry.branches?.get(shape.key.traits.xmlName ?? 'key')?.value
        const value = entry.branches?.get(shape.value.traits.xmlName ?? 'value')
        if (name !== undefined && value) {
          out[keyOfMap(name)] = fromQuery(shape.value.shape, value, style, shape.value, depth + 1)
        }
      }
      return out
    }
    case 'struct':
    case 'union': {
      const out: Record<string, unknown> = {}
      if (!tree.branches) return out
      for (const each of shape.members) {
        const branch = tree.branches.get(wireName(each, style))
        if (branch) out[each.name] = fromQuery(each.shape, branch, style, each, depth + 1)
      }
      return out
    }
    default:
      return fromText(shape, tree.value!)
  }
}

/** `Tags.member.1`: clients write the item's name, or `member` whatever the model says. */
function itemsOf(tree: FormTree, shape: Shape): Map<string, FormTree> | undefined {
  const named = tree.branches?.get(shape.value.traits.xmlName ?? 'member') ?? tree.branches?.get('member')
  return named?.branches
}

function wireName(member: Member, { ec2 }: QueryStyle): string {
  const name = member.traits.xmlName ?? member.name
  return ec2 ? (member.traits.ec2QueryName ?? name.charAt(0).toUpperCase() + name.slice(1)) : name
}
