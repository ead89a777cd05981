/** The page that a notice about a sign-in leads to: the reader says whether it was them. A link alone changes nothing, as mail scanners follow it. */
import { route, type WebCall, type WebRoute } from '../../../kernel/web/site.ts'
import { type ActivityRow, activityOf, addFeedback } from '../activity-rows.ts'
import type { PoolRow } from '../resources.ts'
import { readFeedbackToken } from '../risk-notices.ts'
import { findUser, type UserRow } from '../user-rows.ts'
import { badRequest, poolOfPages } from './authorization-request.ts'
import { plainLook } from './page-request.ts'
import { feedbackPage, thanksPage } from './pages.ts'

const FORM_BYTES_MAX = 16 * 1024
type Fields = Readonly<Record<string, string | undefined>>

interface FeedbackRequest {
  readonly pool: PoolRow
  readonly user: UserRow
  readonly row: ActivityRow
  readonly value: 'Valid' | 'Invalid'
}

/** Throws a page for a token that is not valid, or not of this pool. */
async function eventOf(call: WebCall<unknown>, path: Fields, { token = '', value }: Fields): Promise<FeedbackRequest> {
  const pool = await poolOfPages(call, path)
  const claims = readFeedbackToken(call, token)
  const user = claims?.pool === pool.id ? await findUser(call.unit, pool, claims.username) : undefined
  const row = user && (await activityOf(call.unit, pool, user)).find(({ id }) => id === claims?.event)
  if (!user || !row || (value !== 'Valid' && value !== 'Invalid'))
    throw badRequest('This link is not valid, or it has expired.')
  return { pool, user, row, value }
}

const show = route({
  method: 'GET',
  path: '/authEventFeedback',
  event: 'AuthEventFeedback_GET',
  authentication: 'anonymous',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path, query, csrf }) => {
    const { row, value } = await eventOf(call, path, query)
    return { page: feedbackPage({ look: plainLook(path), csrf, token: query['token'] ?? '', value, row }) }
  },
})

const post = route({
  method: 'POST',
  path: '/authEventFeedback',
  event: 'AuthEventFeedback_POST',
  authentication: 'anonymous',
  body: 'form',
  bodyBytesMax: FORM_BYTES_MAX,
  shown: [],
  run: async (call, { path, form }) => {
    const { pool, user, row, value } = await eventOf(call, path, form)
    await addFeedback(call.unit, pool, user, row.id, { value, by: 'User', at: call.now })
    return { page: thanksPage(plainLook(path), value) }
  },
})

export const feedbackRoutes: readonly WebRoute[] = [show, post]
