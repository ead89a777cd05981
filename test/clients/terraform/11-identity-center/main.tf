# The instance is there before: AWS creates it in its console, Merlon by CreateInstance.
data "aws_ssoadmin_instances" "all" {}
locals {
  instance = tolist(data.aws_ssoadmin_instances.all.arns)[0]
  store    = tolist(data.aws_ssoadmin_instances.all.identity_store_ids)[0]
}

resource "aws_identitystore_user" "ana" {
  identity_store_id = local.store
  user_name         = "ana"
  display_name      = "Ana ${var.rev}"
  title             = var.rev == "1" ? "Engineer" : "Lead"
  name {
    given_name  = "Ana"
    family_name = "Example"
  }
  emails {
    value   = "ana-${var.rev}@corp.test"
    type    = "work"
    primary = true
  }
  addresses {
    country = "PT"
    primary = true
  }
}
resource "aws_identitystore_user" "bob" {
  identity_store_id = local.store
  user_name         = "bob"
  display_name      = "Bob"
  name {
    given_name  = "Bob"
    family_name = "Example"
  }
}
resource "aws_identitystore_group" "staff" {
  identity_store_id = local.store
  display_name      = "staff-${var.rev}"
  description       = "Everybody"
}
resource "aws_identitystore_group_membership" "ana" {
  identity_store_id = local.store
  group_id          = aws_identitystore_group.staff.group_id
  member_id         = aws_identitystore_user.ana.user_id
}
data "aws_identitystore_user" "ana" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "UserName"
      attribute_value = aws_identitystore_user.ana.user_name
    }
  }
}
data "aws_identitystore_group" "staff" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = aws_identitystore_group.staff.display_name
    }
  }
}

resource "aws_ssoadmin_permission_set" "inline" {
  instance_arn     = local.instance
  name             = "Inline"
  description      = "Revision ${var.rev}"
  session_duration = var.rev == "1" ? "PT2H" : "PT4H"
  relay_state      = "https://console.example/"
  tags             = { kind = "inline" }
}
resource "aws_ssoadmin_permission_set_inline_policy" "inline" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.inline.arn
  inline_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = var.rev == "1" ? "iam:List*" : "iam:Get*", Resource = "*" }]
  })
}
resource "aws_ssoadmin_permission_set" "managed" {
  instance_arn = local.instance
  name         = "Managed"
}
resource "aws_ssoadmin_managed_policy_attachment" "managed" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.managed.arn
  managed_policy_arn = var.rev == "1" ? "arn:aws:iam::aws:policy/ReadOnlyAccess" : "arn:aws:iam::aws:policy/SecurityAudit"
}
resource "aws_iam_policy" "customer" {
  name   = "customer"
  path   = "/team/"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "kms:List*", Resource = "*" }] })
}
resource "aws_ssoadmin_permission_set" "customer" {
  instance_arn = local.instance
  name         = "Customer"
}
resource "aws_ssoadmin_customer_managed_policy_attachment" "customer" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.customer.arn
  customer_managed_policy_reference {
    name = aws_iam_policy.customer.name
    path = "/team/"
  }
}
resource "aws_ssoadmin_permissions_boundary_attachment" "customer" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.customer.arn
  permissions_boundary {
    managed_policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
  }
}
resource "aws_ssoadmin_account_assignment" "group" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.inline.arn
  principal_id       = aws_identitystore_group.staff.group_id
  principal_type     = "GROUP"
  target_id          = local.account
  target_type        = "AWS_ACCOUNT"
  depends_on         = [aws_ssoadmin_permission_set_inline_policy.inline]
}
resource "aws_ssoadmin_account_assignment" "user" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.customer.arn
  principal_id       = aws_identitystore_user.bob.user_id
  principal_type     = "USER"
  target_id          = local.account
  target_type        = "AWS_ACCOUNT"
  depends_on = [
    aws_ssoadmin_customer_managed_policy_attachment.customer,
    aws_ssoadmin_permissions_boundary_attachment.customer,
  ]
}
resource "aws_ssoadmin_account_assignment" "managed" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.managed.arn
  principal_id       = aws_identitystore_user.ana.user_id
  principal_type     = "USER"
  target_id          = local.account
  target_type        = "AWS_ACCOUNT"
}

resource "aws_ssoadmin_instance_access_control_attributes" "abac" {
  instance_arn = local.instance
  attribute {
    key = "department"
    value {
      source = ["$${path:enterprise.department}"]
    }
  }
  dynamic "attribute" {
    for_each = var.rev == "1" ? [] : ["mail"]
    content {
      key = attribute.value
      value {
        source = ["$${path:emails[primary eq true].value}"]
      }
    }
  }
}

data "aws_ssoadmin_application_providers" "all" {}
resource "aws_ssoadmin_application" "app" {
  name                     = "app-${var.rev}"
  instance_arn             = local.instance
  application_provider_arn = "arn:aws:sso::aws:applicationProvider/custom"
  description              = "An application"
  portal_options {
    visibility = "ENABLED"
    sign_in_options {
      origin          = "APPLICATION"
      application_url = "https://app.corp.test/${var.rev}"
    }
  }
}
resource "aws_ssoadmin_application_access_scope" "scope" {
  application_arn    = aws_ssoadmin_application.app.application_arn
  scope              = "sso:account:access"
  authorized_targets = [local.instance]
}
resource "aws_ssoadmin_application_assignment_configuration" "app" {
  application_arn     = aws_ssoadmin_application.app.application_arn
  assignment_required = var.rev == "1"
}
resource "aws_ssoadmin_application_assignment" "app" {
  application_arn = aws_ssoadmin_application.app.application_arn
  principal_id    = aws_identitystore_group.staff.group_id
  principal_type  = "GROUP"
}
resource "aws_ssoadmin_trusted_token_issuer" "issuer" {
  name                      = "issuer-${var.rev}"
  instance_arn              = local.instance
  trusted_token_issuer_type = "OIDC_JWT"
  trusted_token_issuer_configuration {
    oidc_jwt_configuration {
      claim_attribute_path          = var.rev == "1" ? "email" : "sub"
      identity_store_attribute_path = var.rev == "1" ? "emails.value" : "userName"
      issuer_url                    = "https://issuer.corp.test"
      jwks_retrieval_option         = "OPEN_ID_DISCOVERY"
    }
  }
}

output "found" {
  value = {
    user  = data.aws_identitystore_user.ana.user_id == aws_identitystore_user.ana.user_id
    group = data.aws_identitystore_group.staff.group_id == aws_identitystore_group.staff.group_id
  }
}
