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

/** The operations of `first-page-models.ts`, which is loaded when one of them is called; a test compares the two. */
export const FIRST_PAGE: Readonly<Record<string, readonly string[]>> = {
  cloudtrail: ['LookupEvents'],
  iam: ['GetAccountSummary', 'ListAccessKeys', 'ListUsers'],
  kms: ['DescribeKey', 'ListKeys'],
  secretsmanager: ['ListSecrets'],
}

/** Begins to load them before the first call. A failure is that of the call. */
export function preloadFirstPageModels(): void {
  import('./first-page-models.ts').catch(() => undefined)
}

/** A model with the operation, if the service has it: the small one of the first page, until the whole one is needed. */
export async function modelWith(id: string, operation: string): Promise<Model> {
  if (loading.has(id) || !FIRST_PAGE[id]?.includes(operation)) return loadModel(id)
  const { firstPage } = await import('./first-page-models.ts')
  return { row: serviceById.get(id)!, operations: operationsOf(firstPage[id]!) }
}

async function load(id: string): Promise<Model> {
  const row = serviceById.get(id)
  if (!row) throw new Error(`The console has no model of the service ${id}.`)
  return { row, operations: operationsOf((await row.load()) as Record<string, unknown>) }
}
