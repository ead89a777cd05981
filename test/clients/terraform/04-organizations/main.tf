resource "aws_organizations_organization" "org" {
  feature_set                   = "ALL"
  aws_service_access_principals = ["cloudtrail.amazonaws.com", "sso.amazonaws.com", "guardduty.amazonaws.com"]
  enabled_policy_types          = ["SERVICE_CONTROL_POLICY", "TAG_POLICY", "RESOURCE_CONTROL_POLICY"]
}
resource "aws_organizations_organizational_unit" "sec" {
  name      = "Security"
  parent_id = aws_organizations_organization.org.roots[0].id
}
resource "aws_organizations_organizational_unit" "work" {
  name      = "Workloads-${var.rev}"
  parent_id = aws_organizations_organization.org.roots[0].id
}
resource "aws_organizations_organizational_unit" "prod" {
  name      = "Prod"
  parent_id = aws_organizations_organizational_unit.work.id
}
resource "aws_organizations_account" "prod" {
  name              = "prod"
  email             = "prod@suite.test"
  parent_id         = var.rev == "1" ? aws_organizations_organizational_unit.prod.id : aws_organizations_organizational_unit.work.id
  role_name         = "OrgAccess"
  close_on_deletion = true
  lifecycle { ignore_changes = [role_name] }
}
resource "aws_organizations_account" "audit" {
  name              = "audit"
  email             = "audit@suite.test"
  parent_id         = aws_organizations_organizational_unit.sec.id
  close_on_deletion = true
}
resource "aws_organizations_policy" "deny_leave" {
  name    = "deny-leave"
  type    = "SERVICE_CONTROL_POLICY"
  content = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = ["organizations:LeaveOrganization"], Resource = "*" }] })
  # Without an organisation there is nowhere to make it.
  depends_on = [aws_organizations_organization.org]
}
resource "aws_organizations_policy" "regions" {
  name        = "regions"
  description = "rev ${var.rev}"
  content     = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "R", Effect = "Deny", NotAction = ["iam:*", "sts:*"], Resource = "*", Condition = { StringNotEquals = { "aws:RequestedRegion" = ["us-east-1", "eu-west-1"] } } }] })
  depends_on  = [aws_organizations_organization.org]
}
resource "aws_organizations_policy" "rcp" {
  name       = "rcp"
  type       = "RESOURCE_CONTROL_POLICY"
  content    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:*", Resource = "*", Condition = { StringNotEqualsIfExists = { "aws:PrincipalOrgID" = "o-abcdefghij" } } }] })
  depends_on = [aws_organizations_organization.org]
}
resource "aws_organizations_policy" "tags" {
  name       = "tags"
  type       = "TAG_POLICY"
  content    = jsonencode({ tags = { CostCenter = { tag_key = { "@@assign" = "CostCenter" } } } })
  depends_on = [aws_organizations_organization.org]
}
resource "aws_organizations_policy_attachment" "ou" {
  policy_id = aws_organizations_policy.deny_leave.id
  target_id = aws_organizations_organizational_unit.work.id
}
resource "aws_organizations_policy_attachment" "acct" {
  policy_id = aws_organizations_policy.regions.id
  target_id = aws_organizations_account.prod.id
}
resource "aws_organizations_policy_attachment" "root" {
  policy_id = aws_organizations_policy.tags.id
  target_id = aws_organizations_organization.org.roots[0].id
}
resource "aws_organizations_delegated_administrator" "audit" {
  account_id        = aws_organizations_account.audit.id
  service_principal = "guardduty.amazonaws.com"
}
resource "aws_organizations_resource_policy" "rp" {
  content = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "d", Effect = "Allow", Principal = { AWS = "arn:aws:iam::${aws_organizations_account.audit.id}:root" }, Action = ["organizations:ListAccounts"], Resource = "*" }] })
}
data "aws_organizations_organizational_units" "ous" {
  parent_id  = aws_organizations_organization.org.roots[0].id
  depends_on = [aws_organizations_organizational_unit.sec, aws_organizations_organizational_unit.work]
}
data "aws_organizations_policies_for_target" "t" {
  target_id  = aws_organizations_organizational_unit.work.id
  filter     = "SERVICE_CONTROL_POLICY"
  depends_on = [aws_organizations_policy_attachment.ou]
}
