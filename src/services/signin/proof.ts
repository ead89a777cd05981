/** `/console/proof`: how the account's log is proved, for the console. Needs the permission to read the log. */
import { lastCheckpoint } from '../../kernel/log-integrity/checkpoint.ts'
import { lastVerification } from '../../kernel/log-integrity/verification.ts'
import { logHeads } from '../../kernel/ports/log-heads.ts'
import { route, type WebRoute } from '../../kernel/web/site.ts'
import { type Claims, callerOf } from './claims.ts'

/** Other nodes' last checkpoints are fetched one by one. */
const NODES_MAX = 64

export const proofRoute: WebRoute = route<Claims>({
  method: 'GET',
  path: '/proof',
  event: 'GetProof',
  authentication: 'session',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call) => {
    call.event.isUnrecorded = true
    const { claims, unit } = call
    const { account } = claims.principal
    await call.authorizeAs(callerOf(claims), 'cloudtrail:LookupEvents', '*')
    const own = (await call.use(logHeads).heads()).filter((head) => head.account === account)
    const nodes = [...new Set(own.map(({ node }) => node))].slice(0, NODES_MAX)
    const checkpoints = await Promise.all(nodes.map((node) => lastCheckpoint(unit, node)))
    const newest = checkpoints
      .filter((checkpoint) => checkpoint !== undefined)
      .sort((a, b) => (a.time < b.time ? 1 : -1))[0]
    const verified = await lastVerification(unit)
    return {
      json: {
        chains: own.length,
        records: own.reduce((sum, { sequence }) => sum + sequence, 0),
        checkpoint: newest ? { number: newest.number, time: newest.time } : null,
        verification: verified ? { time: new Date(verified.at).toISOString(), findings: verified.findings } : null,
      },
    }
  },
})
