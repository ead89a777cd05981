/** An address without a page. */
import Box from '@cloudscape-design/components/box'
import Link from '@cloudscape-design/components/link'
import { Page } from '../ui/page.tsx'

export default function NotFound() {
  return (
    <Page title="There is no such page">
      <Box>
        The address leads nowhere. <Link href="#/">Go to the home page</Link>, or choose a page in the navigation.
      </Box>
    </Page>
  )
}
