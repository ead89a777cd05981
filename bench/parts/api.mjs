/**
 * Identity: GetCallerIdentity, one user read, and users created. Each durable and recorded at Merlon, none of it at
 * moto.
 */
import { load } from '../drive.mjs'
import { signedQuery } from '../requests.mjs'
import { besideMoto, withServers } from './beside-moto.mjs'

/** Five thousand users are an account's quota: all rounds together stay below it. */
const MADE = 550

export const api = (how) =>
  withServers(async (servers) => {
    for (const server of servers) {
      await load(server, [await signedQuery(server, 'iam', { Action: 'CreateUser', UserName: 'bench' })], 1)
    }
    const one = (service, parameters) => async (server) => [await signedQuery(server, service, parameters)]
    return besideMoto(
      servers,
      [
        { name: 'sts:GetCallerIdentity', aim: 20, requests: one('sts', { Action: 'GetCallerIdentity' }) },
        { name: 'iam:GetUser', aim: 20, requests: one('iam', { Action: 'GetUser', UserName: 'bench' }) },
        {
          name: 'iam:CreateUser',
          aim: 10,
          calls: MADE,
          requests: (server, round, total) =>
            Promise.all(
              Array.from({ length: total }, (_, i) =>
                signedQuery(server, 'iam', { Action: 'CreateUser', UserName: `user-${round}-${i}` }),
              ),
            ),
        },
      ],
      how,
    )
  })
