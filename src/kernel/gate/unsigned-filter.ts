/** Unsigned requests pass the web ACL of the resource that they are for, before what proves their caller is looked at. */
import type { Store } from '../../store/store.ts'
import type { HttpRequest } from '../../wire/http.ts'
import type { Use } from '../ports/port.ts'
import { requestFilter } from '../ports/request-filter.ts'
import type { ProtectedOperations } from '../service/traits.ts'

/** Throws the service's refusal. Without `operations` nothing is filtered. */
export async function assertUnfiltered(
  operations: ProtectedOperations | undefined,
  { store, use }: { readonly store: Pick<Store, 'reader'>; readonly use: Use },
  { input, request, requestId }: { readonly input: object; readonly request: HttpRequest; readonly requestId: string },
): Promise<void> {
  const arn = await operations?.resource(store.reader, input)
  if (arn !== undefined && (await use(requestFilter).refusal(arn, request, requestId))) throw operations!.refusal()
}
