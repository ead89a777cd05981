/** The metadata service of instances, for the labs of an operator: what it shows, and the credentials of the role. */
import { instanceMetadata } from '../../kernel/ports/instance-metadata.ts'
import { Fault } from '../../wire/fault.ts'
import { InstallationError } from '../compose/operator-errors.ts'
import type { Act, AdminRequest } from './admin-api.ts'

function instanceOf(input: AdminRequest['input']) {
  const { account, region, instance } = input
  if (typeof account !== 'string' || typeof region !== 'string' || typeof instance !== 'string')
    throw new InstallationError('An instance is named by account, region and instance.', undefined)
  return { place: { account, region }, instance }
}

/** `{}` where there is no such instance, or none that runs; the service calls are in the audit log. */
export const instanceRoutes: Readonly<Record<string, Act>> = {
  'POST /instances/metadata': async ({ custody }, input) => {
    const { place, instance } = instanceOf(input)
    const shown = await custody.unsealed().cloud.use(instanceMetadata).shown(place, instance)
    return shown ? { shown } : {}
  },
  'POST /instances/credentials': async ({ custody }, input) => {
    const { place, instance } = instanceOf(input)
    try {
      const version = input['version'] === 1 ? 1 : 2
      const credentials = await custody.unsealed().cloud.use(instanceMetadata).credentials(place, instance, version)
      return credentials ? { credentials } : {}
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw new InstallationError(`The role of ${instance} cannot be assumed: ${error.message}`, undefined)
    }
  },
}
