/** Seeds of CloudWatch Logs: log groups. Their events are not exported. */
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import type { Api } from '../../kernel/service/api.ts'
import { compact, inTurn, pagesOf, seedPart } from './part.ts'

const logs: Api<typeof Logs> = { id: 'logs' }

export const logGroups = seedPart({
  kind: 'logGroups',
  labels: ['name'],
  members: { name: true, days: true, tags: true },
  add: async ({ call }, { name: logGroupName, days, tags }, step) => {
    await step([], `log group '${logGroupName}'`, async () => {
      await call(logs, 'CreateLogGroup', { logGroupName, ...(tags && { tags }) })
      if (days !== undefined) await call(logs, 'PutRetentionPolicy', { logGroupName, retentionInDays: days })
    })
  },
  export: async ({ id, call }, leaveOut) => {
    const all = await pagesOf(async (nextToken) => {
      const page = await call(logs, 'DescribeLogGroups', { nextToken })
      return { items: page.logGroups, next: page.nextToken }
    })
    if (all.length > 0) leaveOut(`the events in the log groups of account ${id}`)
    return inTurn(all, async ({ logGroupName = '', logGroupArn = '', retentionInDays }) => {
      const { tags } = await call(logs, 'ListTagsForResource', { resourceArn: logGroupArn })
      return compact({ name: logGroupName, days: retentionInDays, tags })
    })
  },
})
