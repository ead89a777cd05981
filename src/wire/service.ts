/** A service's model, loaded on first use: its operations, errors, routes and constraints. */
import type { Constraints } from './constraints.ts'
import { tableOf } from './constraints.ts'
import { type Route, routesOf } from './rest.ts'
import type { ServiceRow } from './services.ts'
import { errorsOf, type OperationShape, operationsOf, type Shape } from './shape.ts'

export interface ServiceModel {
  readonly row: ServiceRow
  readonly operations: ReadonlyMap<string, OperationShape>
  readonly errors: ReadonlyMap<string, Shape>
  readonly routes: readonly Route[]
  readonly constraints: Constraints
  /** Operations that clients call without a signature. */
  readonly unsigned: ReadonlySet<string>
}

const loaded = new Map<string, Promise<ServiceModel>>()

export function loadService(row: ServiceRow): Promise<ServiceModel> {
  let model = loaded.get(row.id)
  if (!model) {
    model = load(row)
    loaded.set(row.id, model)
  }
  return model
}

const NOTHING: Omit<ServiceModel, 'row'> = {
  operations: new Map(),
  errors: new Map(),
  routes: [],
  constraints: {},
  unsigned: new Set(),
}

async function load(row: ServiceRow): Promise<ServiceModel> {
  if (row.unbuilt) return { row, ...NOTHING }
  const [module, { structs, unsigned }] = await Promise.all([row.load(), tableOf(row.id)])
  const exported = exportsOf(module as Record<string, unknown>)
  const operations = operationsOf(exported)
  return {
    row,
    operations,
    errors: errorsOf(exported),
    routes: routesOf(operations.values()),
    constraints: structs,
    unsigned: new Set(unsigned),
  }
}

/** A CommonJS module seen from ESM carries its exports under `default`. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const { default: inner } = module
  return inner !== null && typeof inner === 'object' ? { ...module, ...(inner as Record<string, unknown>) } : module
}
