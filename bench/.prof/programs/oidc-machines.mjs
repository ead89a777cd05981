/** `oidc-provider` with one machine that gets JWT access tokens by its secret. Prints its address as a line of JSON. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'

const server = createServer((request, response) => handler(request, response)).listen(0, '127.0.0.1')
await once(server, 'listening')
const issuer = `http://127.0.0.1:${server.address().port}`
const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
const resource = 'https://api.bench.test'
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'machine',
      client_secret: 'a-secret-of-the-bench',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({
        scope: 'read',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  jwks: { keys: [{ ...signing, kid: 'bench', alg: 'RS256', use: 'sig' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
})
const handler = provider.callback()
console.log(JSON.stringify({ url: issuer }))
