/**
 * What each type of management policy may hold, as far as AWS documents it.
 * Source: the "syntax and examples" pages of https://docs.aws.amazon.com/organizations/latest/userguide/
 */

interface Below {
  /** Forms by member; `*` is a name that the customer chooses. */
  readonly below: Readonly<Record<string, Form>>
  /** Members that what comes out of all policies has to have. */
  readonly needs?: readonly string[]
  /** The most members it may have. */
  readonly max?: number
}

interface Leaf {
  readonly leaf: 'one' | 'list'
  readonly oneOf?: readonly string[]
}

/** Not documented in full: operators are checked, names are not. */
export const ANYTHING = 'anything'
export type Form = Below | Leaf | typeof ANYTHING

type Limits = Omit<Below, 'below'>

const below = (members: Readonly<Record<string, Form>>, limits: Limits = {}): Below => ({ below: members, ...limits })
const each = (form: Form, limits: Limits = {}): Below => below({ '*': form }, limits)
const one: Leaf = { leaf: 'one' }
const list: Leaf = { leaf: 'list' }
const oneOf = (...values: readonly string[]): Leaf => ({ leaf: 'one', oneOf: values })

const enabled = oneOf('enabled', 'disabled')
const regions = { enable_in_regions: list, disable_in_regions: list }
const tag = below({ tag_key: one, tag_value: one })
const lifecycle = below({
  move_to_cold_storage_after_days: one,
  delete_after_days: one,
  opt_in_to_archive_for_supported_resources: one,
  delete_after_event: one,
})

/** By the policy's own name. */
export const managementForms: Readonly<Record<string, Form>> = {
  tags: each(below({ tag_key: one, tag_value: list, enforced_for: list, report_required_tag_for: list })),
  services: each(below({ opt_out_policy: oneOf('optIn', 'optOut') })),
  plans: each(
    below(
      {
        regions: list,
        rules: each(
          below(
            {
              schedule_expression: one,
              schedule_expression_timezone: one,
              start_backup_window_minutes: one,
              complete_backup_window_minutes: one,
              target_backup_vault_name: one,
              target_logically_air_gapped_backup_vault_arn: one,
              enable_continuous_backup: one,
              lifecycle,
              copy_actions: each(below({ target_backup_vault_arn: one, lifecycle })),
              recovery_point_tags: each(tag),
              index_actions: ANYTHING,
              scan_actions: ANYTHING,
            },
            { needs: ['target_backup_vault_name'] },
          ),
          { max: 10 },
        ),
        selections: below({
          tags: each(below({ iam_role_arn: one, tag_key: one, tag_value: list, conditions: ANYTHING })),
          resources: ANYTHING,
        }),
        advanced_backup_settings: ANYTHING,
        backup_plan_tags: each(tag),
        scan_settings: ANYTHING,
      },
      { needs: ['regions', 'rules', 'selections'] },
    ),
  ),
  chatbot: below({ platforms: ANYTHING, default: below({ client: enabled }) }),
  ec2_attributes: below({
    exception_message: one,
    vpc_block_public_access: below({
      internet_gateway_block: below({
        mode: oneOf('off', 'block_ingress', 'block_bidirectional'),
        exclusions_allowed: enabled,
      }),
    }),
    serial_console_access: below({ status: enabled }),
    image_block_public_access: below({ state: oneOf('unblocked', 'block_new_sharing') }),
    snapshot_block_public_access: below({ state: oneOf('unblocked', 'block_new_sharing', 'block_all_sharing') }),
    instance_metadata_defaults: below({
      http_tokens: oneOf('no_preference', 'required', 'optional'),
      http_tokens_enforced: oneOf('no_preference', 'enabled', 'disabled'),
      http_put_response_hop_limit: one,
      http_endpoint: oneOf('no_preference', 'enabled', 'disabled'),
      instance_metadata_tags: oneOf('no_preference', 'enabled', 'disabled'),
    }),
    allowed_images_settings: below({ state: oneOf('enabled', 'disabled', 'audit_mode'), image_criteria: ANYTHING }),
  }),
  securityhub: below({ ...regions, features: each(below(regions)) }),
  s3_attributes: below({ public_access_block_configuration: oneOf('all', 'none') }),
  upgrade_rollout: ANYTHING,
  inspector: ANYTHING,
  bedrock: ANYTHING,
  network_security_director: ANYTHING,
  guardduty: ANYTHING,
  securityhub_cspm: ANYTHING,
}
