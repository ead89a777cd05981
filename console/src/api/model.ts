/** The models of the services, loaded one by one on demand: the same schemas that the server reads requests with. */
import { type ServiceRow, serviceById } from '../../../src/wire/services.ts'
import { type OperationShape, operationsOf } from '../../../src/wire/shape.ts'

export interface Model {
  readonly row: ServiceRow
  readonly operations: ReadonlyMap<string, OperationShape>
}

const loading = new Map<string, Promise<Model>>()

/** Rejects for a service that has no model. A failed load is tried again by the next call. */
export function loadModel(id: string): Promise<Model> {
  let model = loading.get(id)
  if (!model) {
    model = load(id)
    model.catch(() => loading.delete(id))
    loading.set(id, model)
  }
  return model
}

async function load(id: string): Promise<Model> {
  const row = serviceById.get(id)
  if (!row) throw new Error(`The console has no model of the service ${id}.`)
  return { row, operations: operationsOf((await row.load()) as Record<string, unknown>) }
}
