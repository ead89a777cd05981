/** A service as others name it: its row in the wire table, and the types of its SDK client. */
export interface Api<M> {
  /** The id of the service's row in `wire/services.ts`. */
  readonly id: string
  /** Never present: carries the client module's types. */
  readonly types?: M
}
