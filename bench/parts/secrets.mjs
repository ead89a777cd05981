/**
 * A secret fetched, compared with moto, which checks neither the caller nor the key, and keeps the value in clear text.
 */
import { randomUUID } from 'node:crypto'
import { callOnce, signedJson } from '../requests.mjs'
import { besideMoto, withServers } from './beside-moto.mjs'

const SECRET = JSON.stringify({ username: 'app', password: 'x'.repeat(32) })

export const secrets = (how) =>
  withServers(async (servers) => {
    for (const server of servers) {
      await callOnce(server, 'secretsmanager', 'secretsmanager.CreateSecret', {
        ClientRequestToken: randomUUID(),
        Name: 'bench',
        SecretString: SECRET,
      })
    }
    const requests = async (server) => [
      await signedJson(server, 'secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: 'bench' }),
    ]
    return besideMoto(servers, [{ name: 'secretsmanager:GetSecretValue', aim: 20, requests }], how)
  })
