/** awsQuery and ec2Query requests: form pairs to a tree, and the tree to typed input. */
import { DEPTH_MAX, keyOfMap, NODES_MAX, serializationFault, tooDeep, tooManyNodes } from './serialization.ts'
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

/** Segments of one name: the deepest models need less than twenty. */
const SEGMENTS_MAX = DEPTH_MAX
const NAME_CHARS_MAX = 1_024
/** Longer than the name of any operation and any API version. */
const SCANNED_CHARS_MAX = 128

/**
 * One parameter of a form that has not been authenticated yet: found by a native search, without reading the others. The
 * first one counts; {@link formTree} is read later, and must say the same.
 */
export function scanForm(form: Buffer | string, name: string): string | undefined {
  const first = `${name}=`
  const later = `&${name}=`
  const at = startsWith(form, first) ? 0 : form.indexOf(later) + 1
  if (at === 0 && !startsWith(form, first)) return undefined
  const start = at + first.length
  const [value = ''] = textAt(form, start, start + SCANNED_CHARS_MAX).split('&', 1)
  return decodeForm(value)
}

const startsWith = (form: Buffer | string, text: string): boolean => textAt(form, 0, text.length) === text

const textAt = (form: Buffer | string, start: number, end: number): string =>
  typeof form === 'string' ? form.slice(start, end) : form.toString('latin1', start, end)

/** The whole form, of an authenticated caller. Throws a `Fault` beyond the limits of number and depth. */
export function formTree(form: string): FormTree {
  const root: FormTree = {}
  let nodes = 0
  for (let start = 0; start < form.length; ) {
    const ampersand = form.indexOf('&', start)
    const end = ampersand < 0 ? form.length : ampersand
    if (end > start) {
      const equals = form.indexOf('=', start)
      const nameEnd = equals < 0 || equals > end ? end : equals
      if (nameEnd - start > NAME_CHARS_MAX)
        throw serializationFault('The request holds a parameter name that is too long')
      const segments = decodeForm(form.slice(start, nameEnd)).split('.')
      if (segments.length > SEGMENTS_MAX) throw tooDeep()
      let node = root
      for (const segment of segments) {
        node.branches ??= new Map()
        let next = node.branches.get(segment)
        if (!next) {
          if (++nodes > NODES_MAX) throw tooManyNodes()
          next = {}
          node.branches.set(segment, next)
        }
        node = next
      }
      node.value = nameEnd === end ? '' : decodeForm(form.slice(nameEnd + 1, end))
    }
    start = end + 1
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
  if (depth > DEPTH_MAX) throw tooDeep()
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
