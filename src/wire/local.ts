/** Models of the services without an official client: our generated tables, in the form of the SDK's schema arrays. */
import type { Schema } from './shape.ts'

/** `[target shape, traits]`; a shape is named, or a simple type's number. */
type Reference = readonly [target: string | number, traits?: object]

/** One shape of `models/schemas/*.json`; `tools/gen-models.py` writes them. */
type LocalShape =
  | readonly ['list', item: Reference]
  | readonly ['map', key: Reference, value: Reference]
  | readonly ['struct' | 'error', members: Readonly<Record<string, Reference>>, required: number, traits?: object]

export interface LocalModel {
  readonly shapes: Readonly<Record<string, LocalShape>>
  /** Operation → input shape, output shape, traits. */
  readonly operations: Readonly<Record<string, readonly [input: string | null, output: string | null, traits?: object]>>
}

/** Exports as a client module has them, so that nothing beyond this file knows the difference. */
export function schemasOf(module: { readonly default: unknown }): Record<string, Schema> {
  const { shapes, operations } = module.default as LocalModel
  const built = new Map<string, Schema>()
  const shape = (name: string): Schema => {
    const known = built.get(name)
    if (known) return known
    const schema = schemaOf(name, shapes[name]!, reference)
    built.set(name, schema)
    return schema
  }
  const reference = ([target, traits]: Reference): Schema => {
    const schema = typeof target === 'number' ? target : () => shape(target)
    return traits ? [schema, traits] : schema
  }

  const exported: Record<string, Schema> = {}
  for (const [name, [kind]] of Object.entries(shapes)) if (kind === 'error') exported[`${name}$`] = shape(name)
  for (const [name, [input, output, traits]] of Object.entries(operations)) {
    exported[`${name}$`] = [9, 'local', name, traits ?? 0, bodyOf(input), bodyOf(output)]
  }
  return exported

  function bodyOf(name: string | null): Schema {
    return name === null ? 'unit' : () => shape(name)
  }
}

function schemaOf(name: string, shape: LocalShape, reference: (to: Reference) => Schema): Schema {
  switch (shape[0]) {
    case 'list':
      return [1, 'local', name, 0, reference(shape[1])]
    case 'map':
      return [2, 'local', name, 0, reference(shape[1]), reference(shape[2])]
    default: {
      const [kind, members, required, traits] = shape
      return [
        kind === 'error' ? -3 : 3,
        'local',
        name,
        traits ?? 0,
        Object.keys(members),
        Object.values(members).map(reference),
        required,
      ]
    }
  }
}
