/** Labels that Cloudscape's components say to screen readers; in English, of the components in use (`dev/used-messages.ts`). */
import type { I18nProviderProps } from '@cloudscape-design/components/i18n'
import all from '@cloudscape-design/components/i18n/messages/all.en'

export const messages: I18nProviderProps.Messages = all
