/** The functions that are part of Merlon, by the name in `ImageUri=merlon/NAME`; each is loaded on first use. */
import type { Builtin } from './builtin.ts'

export const builtins: Readonly<Record<string, () => Promise<Builtin>>> = {
  Echo: async () => (await import('./echo.ts')).echo,
  MerlonIAMAccessKeyRotation: async () => (await import('./rotators/access-key.ts')).accessKey,
  SecretsManagerRDSPostgreSQLRotationSingleUser: async () =>
    (await import('./rotators/postgresql.ts')).postgresqlSingleUser,
  SecretsManagerRDSPostgreSQLRotationMultiUser: async () =>
    (await import('./rotators/postgresql.ts')).postgresqlMultiUser,
  SecretsManagerRDSMariaDBRotationSingleUser: async () => (await import('./rotators/mariadb.ts')).mariadbSingleUser,
  SecretsManagerRDSMariaDBRotationMultiUser: async () => (await import('./rotators/mariadb.ts')).mariadbMultiUser,
  SecretsManagerElasticacheUserRotation: async () => (await import('./rotators/redis.ts')).redisSingleUser,
  SecretsManagerRedisRotationMultiUser: async () => (await import('./rotators/redis.ts')).redisMultiUser,
}
