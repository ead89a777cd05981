/** Sign-ins of one identity from places that are too far apart for the time between them. */
import { actorKey } from '../finding.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { ApiEvent, Geography } from '../types.ts'

interface LastSignIn {
  readonly time: number
  readonly id: string
  readonly address: string
  readonly country: string
  readonly latitude?: number
  readonly longitude?: number
}

const HOUR_MS = 3_600_000
/** Of airliners. */
const SPEED_KMH_MAX = 900
/** Databases place addresses this far from where they are. */
const DISTANCE_KM_MIN = 500
/** Without coordinates, another country within this time is impossible. */
const COUNTRY_CHANGE_MS = HOUR_MS

const isSuccess = ({ response, errorCode, action }: ApiEvent): boolean =>
  errorCode === '' && (action === 'ConsoleLogin' ? response.ConsoleLogin === 'Success' : true)

export const distantSignIns: RuleFactory = ({ state, lookups }): Rule => {
  const last = state.table<LastSignIn>('sign-ins')
  return {
    name: 'console-login-from-distant-places',
    types: ['UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B'],
    source:
      'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html#unauthorizedaccess-iam-consoleloginsuccessb',
    actions: ['ConsoleLogin', 'UserAuthentication', 'InitiateAuth', 'Federate'],
    api: (event) => {
      const place = lookups.geography(event.address)
      if (!place?.country || event.source !== 'sign-in' || !isSuccess(event)) return NONE
      const key = `${event.account} ${actorKey(event)}`
      const before = last.get(key)
      const { country, latitude, longitude } = place
      last.put(key, {
        time: event.time,
        id: event.id,
        address: event.address,
        country,
        ...(latitude !== undefined && longitude !== undefined && { latitude, longitude }),
      })
      return before && isImpossible(before, place, event.time) ? [detection(before, place, event)] : NONE
    },
  }
}

function isImpossible(before: LastSignIn, place: Geography, time: number): boolean {
  const hours = Math.abs(time - before.time) / HOUR_MS
  if (before.country === place.country) return false
  const distance = distanceKm(before, place)
  return distance === undefined
    ? hours * HOUR_MS <= COUNTRY_CHANGE_MS
    : distance > DISTANCE_KM_MIN && distance / Math.max(hours, 1 / 60) > SPEED_KMH_MAX
}

const detection = (before: LastSignIn, { country }: Geography, event: ApiEvent): Detection => ({
  type: 'UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B',
  detail: `${Math.round(Math.abs(event.time - before.time) / 60_000)} minutes before, the sign-in was from ${before.address} in ${before.country}; now it is from ${country}`,
  eventIds: [before.id, event.id],
  firstSeen: Math.min(before.time, event.time),
})

/** On the sphere, by the haversine formula. */
function distanceKm(a: LastSignIn, b: Geography): number | undefined {
  if (a.latitude === undefined || a.longitude === undefined || b.latitude === undefined || b.longitude === undefined)
    return undefined
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const [dLat, dLon] = [radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)]
  const h =
    Math.sin(dLat / 2) ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(dLon / 2) ** 2
  return 2 * 6_371 * Math.asin(Math.sqrt(Math.min(1, h)))
}
