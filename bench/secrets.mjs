/** A secret fetched, beside moto: which checks neither who asks, nor the key, and keeps the value in clear. */
import { askOnce, signedJson } from './requests.mjs'

export async function secretCases(servers) {
  const SecretString = JSON.stringify({ username: 'app', password: 'x'.repeat(32) })
  for (const server of servers) {
    await askOnce(server, 'secretsmanager', 'secretsmanager.CreateSecret', { Name: 'bench', SecretString })
  }
  return [
    {
      name: 'secretsmanager:GetSecretValue',
      requests: async (server) => [
        await signedJson(server, 'secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: 'bench' }),
      ],
      total: { Merlon: 10_000, moto_server: 1_500 },
    },
  ]
}
