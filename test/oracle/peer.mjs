/**
 * Decides cases with iam-simulate, in a process of its own: a case a line comes in, a decision a line goes out. It is an
 * oracle of the tests only, and no part of Merlon.
 */
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const named = (policy, i) => ({ name: `p${i}`, policy })
const levels = (documents) =>
  documents.map((policy, i) => ({ orgIdentifier: `level-${i}`, policies: [named(policy, i)] }))

for await (const line of createInterface({ input: process.stdin })) {
  const { principal, action, resource, resourceAccount, context, ...policies } = JSON.parse(line)
  const answer = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: resourceAccount }, contextVariables: context },
      identityPolicies: policies.identity.map(named),
      serviceControlPolicies: levels(policies.scps),
      resourceControlPolicies: levels(policies.rcps),
      ...(policies.resourcePolicy && { resourcePolicy: policies.resourcePolicy }),
      ...(policies.boundary && { permissionBoundaryPolicies: [named(policies.boundary, 0)] }),
      ...(policies.session && { sessionPolicy: policies.session }),
    },
    {},
  )
  process.stdout.write(
    `${answer.resultType === 'error' ? `error ${JSON.stringify(answer.errors)}` : answer.overallResult}\n`,
  )
}
