# People and machines of other identity systems: a directory, a SAML provider, two OpenID Connect providers, and their roles.
variable "password" { sensitive = true }

locals {
  trusts = {
    directory = { Service = "ds.amazonaws.com" }
    console   = { Service = "signin.amazonaws.com" }
  }
}

# --- a directory whose people sign in

resource "aws_directory_service_directory" "corp" {
  name        = "corp.test"
  description = "People of the company"
  type        = "ADConnector"
  size        = "Small"
  password    = var.password
  alias       = "corp"
  enable_sso  = var.rev == "2"
  connect_settings {
    customer_dns_ips  = ["10.0.0.1", "10.0.0.2"]
    customer_username = "svc"
    vpc_id            = "vpc-12345678"
    subnet_ids        = ["subnet-12345678", "subnet-87654321"]
  }
  tags = { "merlon:role/staff-directory" = var.rev == "1" ? "staff" : "staff/engineers" }
}

resource "aws_iam_role" "staff" {
  for_each = local.trusts
  name     = "staff-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = each.value, Action = "sts:AssumeRole" }]
  })
}

data "aws_directory_service_directory" "corp" {
  directory_id = aws_directory_service_directory.corp.id
}

# --- SAML

resource "aws_iam_saml_provider" "corp" {
  name                   = "corp"
  saml_metadata_document = file("${path.module}/saml-metadata.xml")
}

data "aws_iam_saml_provider" "corp" {
  arn = aws_iam_saml_provider.corp.arn
}

resource "aws_iam_role" "saml" {
  name                 = "saml"
  max_session_duration = var.rev == "1" ? 3600 : 7200
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_saml_provider.corp.arn }
      Action    = ["sts:AssumeRoleWithSAML", "sts:TagSession"]
      Condition = { StringEquals = { "SAML:aud" = "https://signin.aws.amazon.com/saml" } }
    }]
  })
}

# --- OpenID Connect

resource "aws_iam_openid_connect_provider" "github" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = var.rev == "1" ? ["sts.amazonaws.com"] : ["sts.amazonaws.com", "deploy"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

resource "aws_iam_openid_connect_provider" "own" {
  url             = "https://login.corp.test/tenants/blue"
  client_id_list  = var.rev == "1" ? ["first", "second"] : ["second", "third"]
  thumbprint_list = [var.rev == "1" ? "990f4193972f2becf12ddeda5237f9c952f20d9e" : "cf23df2207d99a74fbe169e3eba035e633b65d94"]
}

data "aws_iam_openid_connect_provider" "own" {
  arn = aws_iam_openid_connect_provider.own.arn
}

data "aws_iam_policy_document" "github" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }
    condition {
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:corp/site:${var.rev == "1" ? "*" : "ref:refs/heads/main"}"]
    }
  }
}

resource "aws_iam_role" "github" {
  name               = "github"
  assume_role_policy = data.aws_iam_policy_document.github.json
}

output "directory" {
  value = {
    alias      = aws_directory_service_directory.corp.alias
    access_url = aws_directory_service_directory.corp.access_url
    type       = data.aws_directory_service_directory.corp.type
    dns        = sort(tolist(aws_directory_service_directory.corp.dns_ip_addresses))
  }
}
output "clients" { value = sort(tolist(data.aws_iam_openid_connect_provider.own.client_id_list)) }
