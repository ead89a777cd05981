# A user pool with everything that the provider can put around it: clients, a resource server, an identity provider, a domain
# with its looks, a user in a group with a role, custom senders, and threat protection with its actions.
resource "aws_cognito_user_pool" "people" {
  name                     = "people"
  alias_attributes         = ["email", "preferred_username"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = var.rev == "1" ? "OFF" : "OPTIONAL"
  deletion_protection      = "INACTIVE"

  dynamic "software_token_mfa_configuration" {
    for_each = var.rev == "1" ? [] : [1]
    content { enabled = true }
  }
  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 3
  }
  schema {
    name                = "tenant"
    attribute_data_type = "String"
    mutable             = true
    string_attribute_constraints {
      min_length = 1
      max_length = 64
    }
  }
  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
  admin_create_user_config {
    allow_admin_create_user_only = false
    invite_message_template {
      email_subject = "Welcome"
      email_message = "{username} {####}"
      sms_message   = "{username} {####}"
    }
  }
  verification_message_template {
    default_email_option = "CONFIRM_WITH_CODE"
    email_subject        = "Your code"
    email_message        = "Your code is {####}"
  }
  user_pool_add_ons { advanced_security_mode = "AUDIT" }
  device_configuration {
    challenge_required_on_new_device      = true
    device_only_remembered_on_user_prompt = true
  }
  username_configuration { case_sensitive = false }
  # A function sends the messages, which a key of ours encrypts.
  lambda_config {
    kms_key_id = aws_kms_key.codes.arn
    custom_email_sender {
      lambda_arn     = "arn:aws:lambda:us-east-1:${local.account}:function:mail-${var.rev}"
      lambda_version = "V1_0"
    }
    custom_sms_sender {
      lambda_arn     = "arn:aws:lambda:us-east-1:${local.account}:function:text"
      lambda_version = "V1_0"
    }
  }
}

resource "aws_kms_key" "codes" {
  deletion_window_in_days = 7
}

resource "aws_cognito_resource_server" "api" {
  identifier   = "https://api.corp.test"
  name         = "api"
  user_pool_id = aws_cognito_user_pool.people.id
  scope {
    scope_name        = "read"
    scope_description = "read, revision ${var.rev}"
  }
  scope {
    scope_name        = "write"
    scope_description = "write"
  }
}

resource "aws_cognito_identity_provider" "corp" {
  user_pool_id  = aws_cognito_user_pool.people.id
  provider_name = "corp"
  provider_type = "OIDC"
  provider_details = {
    client_id                     = "client"
    client_secret                 = "secret"
    authorize_scopes              = "openid email"
    attributes_request_method     = "GET"
    oidc_issuer                   = "https://idp.corp.test"
    authorize_url                 = "https://idp.corp.test/authorize"
    token_url                     = "https://idp.corp.test/token"
    attributes_url                = "https://idp.corp.test/userinfo"
    jwks_uri                      = "https://idp.corp.test/jwks"
    attributes_url_add_attributes = "false"
  }
  attribute_mapping = { email = "email", username = "sub" }
}

resource "aws_cognito_user_pool_client" "web" {
  name                                 = "web"
  user_pool_id                         = aws_cognito_user_pool.people.id
  generate_secret                      = true
  explicit_auth_flows                  = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"]
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = ["openid", "email", "profile", "${aws_cognito_resource_server.api.identifier}/read"]
  callback_urls                        = ["https://app.corp.test/callback"]
  logout_urls                          = ["https://app.corp.test/out"]
  supported_identity_providers         = ["COGNITO", aws_cognito_identity_provider.corp.provider_name]
  access_token_validity                = var.rev == "1" ? 60 : 30
  id_token_validity                    = 60
  refresh_token_validity               = 30
  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  read_attributes               = ["email", "custom:tenant"]
  write_attributes              = ["email"]
}

resource "aws_cognito_user_pool_client" "machine" {
  name                                 = "machine"
  user_pool_id                         = aws_cognito_user_pool.people.id
  generate_secret                      = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = aws_cognito_resource_server.api.scope_identifiers
}

resource "aws_cognito_user_pool_domain" "login" {
  domain       = "people-login"
  user_pool_id = aws_cognito_user_pool.people.id
}

resource "aws_cognito_user_pool_ui_customization" "looks" {
  css          = ".label-customizable {font-weight: 400;}"
  user_pool_id = aws_cognito_user_pool_domain.login.user_pool_id
}

resource "aws_cognito_user" "ana" {
  user_pool_id   = aws_cognito_user_pool.people.id
  username       = "ana"
  password       = "Sup3r-Secret-Pw!"
  message_action = "SUPPRESS"
  attributes     = { email = "ana@corp.test", email_verified = "true" }
}

resource "aws_iam_role" "admins" {
  name = "people-admins"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "cognito-identity.amazonaws.com" }
      Condition = { StringEquals = { "cognito-identity.amazonaws.com:aud" = "us-east-1:00000000-0000-0000-0000-000000000000" } }
    }]
  })
}

resource "aws_cognito_user_group" "admins" {
  name         = "admins"
  user_pool_id = aws_cognito_user_pool.people.id
  precedence   = 10
  description  = "revision ${var.rev}"
  role_arn     = aws_iam_role.admins.arn
}

resource "aws_cognito_user_in_group" "ana" {
  user_pool_id = aws_cognito_user_pool.people.id
  group_name   = aws_cognito_user_group.admins.name
  username     = aws_cognito_user.ana.username
}

resource "aws_cognito_risk_configuration" "blocked" {
  user_pool_id = aws_cognito_user_pool.people.id
  risk_exception_configuration { blocked_ip_range_list = ["10.10.10.10/32"] }
}

resource "aws_cognito_risk_configuration" "web" {
  user_pool_id = aws_cognito_user_pool.people.id
  client_id    = aws_cognito_user_pool_client.web.id
  account_takeover_risk_configuration {
    notify_configuration {
      source_arn = "arn:aws:ses:us-east-1:${local.account}:identity/corp.test"
      block_email {
        subject   = "A sign-in was stopped"
        html_body = "<p>A sign-in was stopped.</p>"
        text_body = "A sign-in was stopped."
      }
    }
    actions {
      low_action {
        event_action = "NO_ACTION"
        notify       = false
      }
      medium_action {
        event_action = "MFA_IF_CONFIGURED"
        notify       = false
      }
      high_action {
        event_action = var.rev == "1" ? "MFA_REQUIRED" : "BLOCK"
        notify       = false
      }
    }
  }
  compromised_credentials_risk_configuration {
    event_filter = ["SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"]
    actions { event_action = "BLOCK" }
  }
}

data "aws_cognito_user_pools" "all" {
  name       = aws_cognito_user_pool.people.name
  depends_on = [aws_cognito_user_pool.people]
}
