/**
 * The web ACLs port: the web ACL that protects a resource, for what filters its requests; provided by wafv2.
 *
 * A plane gets the document in its snapshot and sends up what `TrafficRecorder` (`engines/waf`) records; wafv2 takes the records
 * of the plane `gateway` itself. A service that filters in the server's own process calls `receive`.
 *
 * @example
 * // the snapshot of a plane
 * from: [under('elasticloadbalancing'), ...WEB_ACL_DOCUMENTS],
 * compute: (reader, use) => use(webAcls).publishedFor(reader, loadBalancerArn),
 */
import type { PublishedWebAcl } from '../../engines/waf/published.ts'
import type { Unit } from '../../store/store.ts'
import { type Key, under } from '../../store/store.ts'
import type { RecordHandler } from '../planes/records.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface WebAclsPort {
  /** undefined when no web ACL is associated with the resource: its requests are not filtered. */
  publishedFor(reader: Reader, resourceArn: string): Promise<PublishedWebAcl | undefined>
  /** Takes records of inspected requests; of other kinds of records nothing. */
  receive(unit: Unit, batch: Parameters<RecordHandler>[1]): Promise<void>
}

export const webAcls = port<WebAclsPort>('web-acls')

/** Prefixes of the documents that {@link WebAclsPort.publishedFor} reads. */
export const WEB_ACL_DOCUMENTS: readonly Key[] = [
  'association',
  'ip-set',
  'logging',
  'regex-pattern-set',
  'rule-group',
  'web-acl',
].map((kind) => under('wafv2', kind))
