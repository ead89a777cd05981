/** Forms of the AWS Query and EC2 Query protocols: `Tags.member.1.Key=a`. */
import type { Member, Shape } from '../../../src/wire/shape.ts'
import { toText } from './scalars.ts'

type Tree = Readonly<Record<string, unknown>>

export interface FormStyle {
  /** EC2 Query: every list is flat, and names begin with a capital letter. */
  readonly ec2: boolean
}

export function toForm(input: Shape, value: object, style: FormStyle): Array<readonly [name: string, value: string]> {
  const pairs: Array<readonly [string, string]> = []
  write(input, value, '', undefined)
  return pairs

  function write(shape: Shape, item: unknown, path: string, member: Member | undefined): void {
    if (item === undefined || item === null) return
    const flat = style.ec2 || shape.traits.xmlFlattened || member?.traits.xmlFlattened
    switch (shape.kind) {
      case 'list': {
        const items = item as readonly unknown[]
        if (items.length === 0 && !style.ec2) pairs.push([path, ''])
        const base = flat ? path : `${path}.${shape.value.traits.xmlName ?? 'member'}`
        for (const [at, each] of items.entries()) write(shape.value.shape, each, `${base}.${at + 1}`, shape.value)
        return
      }
      case 'map': {
        const base = flat ? path : `${path}.entry`
        for (const [at, [key, each]] of Object.entries(item as Tree).entries()) {
          pairs.push([`${base}.${at + 1}.${shape.key.traits.xmlName ?? 'key'}`, key])
          const name = shape.value.traits.xmlName ?? 'value'
          write(shape.value.shape, each, `${base}.${at + 1}.${name}`, shape.value)
        }
        return
      }
      case 'struct':
      case 'union':
        for (const each of shape.members) {
          const name = nameOf(each, style)
          write(each.shape, (item as Tree)[each.name], path === '' ? name : `${path}.${name}`, each)
        }
        return
      default:
        pairs.push([path, toText(shape, item)])
    }
  }
}

function nameOf({ name, traits }: Member, { ec2 }: FormStyle): string {
  const wire = traits.xmlName ?? name
  return ec2 ? (traits.ec2QueryName ?? wire.charAt(0).toUpperCase() + wire.slice(1)) : wire
}
