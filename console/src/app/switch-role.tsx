/** Acts as a role, of this account or another, until the person switches back. */
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { useState } from 'react'
import { Dialog } from '../ui/dialog.tsx'
import { useMerlon } from './merlon.tsx'

export default function SwitchRole({ onClose }: { readonly onClose: () => void }) {
  const { session, switchRole } = useMerlon()
  const [account, setAccount] = useState(session.principal.account)
  const [role, setRole] = useState('')
  return (
    <Dialog
      title="Switch role"
      submit="Switch role"
      onClose={onClose}
      disabled={!/^\d{12}$/.test(account) || role === ''}
      run={() => switchRole({ account, role })}
    >
      <FormField label="Account" description="The account that owns the role: twelve digits.">
        <Input value={account} inputMode="numeric" onChange={({ detail }) => setAccount(detail.value.trim())} />
      </FormField>
      <FormField
        label="Role"
        description="The name of the role, with its path if it has one. Its trust policy must allow you to assume it."
      >
        <Input value={role} autoFocus onChange={({ detail }) => setRole(detail.value.trim())} />
      </FormField>
    </Dialog>
  )
}
