/** Directory Service: connections to Active Directory and LDAP servers, whose people sign in. */
import { directoryLogin } from '../../kernel/ports/directory-login.ts'
import { directoryServers } from '../../kernel/ports/directory-servers.ts'
import { provide } from '../../kernel/ports/port.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as directories from './directories.ts'
import { directoryLoginPort } from './login.ts'
import { directory, ds as words } from './resources.ts'
import { authorizeMappings } from './role-mapping.ts'
import { stages } from './stages.ts'
import * as trusts from './trusts.ts'

const tagging = words.tagging(directory, {
  tag: 'AddTagsToResource',
  untag: 'RemoveTagsFromResource',
  list: 'ListTagsForResource',
  resource: 'ResourceId',
  guard: (call, _row, input) =>
    authorizeMappings(
      call,
      (input.Tags ?? []).map(({ Key }: { readonly Key: string }) => Key),
    ),
})

export const ds = words.service({
  operations: operationsOf(directories, trusts, { tagging }),
  jobs: stages.jobs,
  needs: [directoryServers],
  open: ({ store, vault, clock, use }) => ({
    provides: [
      provide(directoryLogin, directoryLoginPort({ reader: store.reader, vault, use, now: () => clock.now() })),
    ],
  }),
})
