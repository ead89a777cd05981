/** What a policy allows, in sentences: on which resources, through which statement, under which conditions. */
import Box from '@cloudscape-design/components/box'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { conditionShown, extentShown } from '../../../src/policy/account/access-text.ts'
import type { MatchedStatement } from '../../../src/policy/index.ts'
import type { Access, Doubt } from '../../../src/policy/reach.ts'
import { hrefOf } from '../app/router.ts'
import { Code } from './fields.tsx'

export function StatementLink({ statement }: { readonly statement: MatchedStatement }) {
  const { policy, sid, index } = statement
  const name = sid || `statement ${index + 1}`
  const holder = /^(user|group|role)\/([^:]+): /.exec(policy.id)
  const href =
    policy.arn?.includes(':policy/') && !policy.arn.startsWith('arn:aws:organizations')
      ? hrefOf(['iam', 'policies', policy.arn])
      : holder
        ? hrefOf(['iam', `${holder[1]}s`, holder[2]!])
        : undefined
  const where = policy.arn?.split('/').at(-1) ?? policy.id
  return (
    <>
      {name} in {href ? <Link href={href}>{where}</Link> : where}
    </>
  )
}

export function AccessList({ accesses, within }: { readonly accesses: readonly Access[]; readonly within?: string }) {
  return (
    <SpaceBetween size="xxs">
      {accesses.map((access, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the answers of one evaluation, in its order.
        <AccessShown key={at} access={access} within={within} />
      ))}
    </SpaceBetween>
  )
}

function AccessShown({ access, within }: { readonly access: Access; readonly within: string | undefined }) {
  const { resources, certain, by, doubts, unclear } = access
  const extents = resources.map(extentShown).filter((extent) => extent !== within)
  return (
    <div>
      {by ? <StatementLink statement={by} /> : 'The account itself'}
      {extents.length > 0 && (
        <>
          {' on '}
          <Code>{extents.join('; ')}</Code>
        </>
      )}
      {unclear && <Box color="text-body-secondary">The patterns are too complex to say more.</Box>}
      {!certain &&
        doubts.map((doubt, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          <DoubtShown key={at} doubt={doubt} />
        ))}
    </div>
  )
}

function DoubtShown({ doubt: { statement, conditions, variables } }: { readonly doubt: Doubt }) {
  const tested = [
    ...conditions.map(conditionShown),
    ...(variables.length > 0 ? [`the resource is ${variables.join(' or ')}`] : []),
  ]
  return (
    <Box color="text-body-secondary" padding={{ left: 's' }}>
      {statement.effect === 'Allow' ? 'only if ' : 'unless '}
      <Code>{tested.join(' and ')}</Code> (<StatementLink statement={statement} />)
    </Box>
  )
}
