# People, machines and what each may do, the way a small team writes it down.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}

variable "rev" {
  default = "1"
}

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  max_retries             = 2
  default_tags {
    tags = { owner = "platform", rev = var.rev }
  }
}

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}

locals {
  account = data.aws_caller_identity.me.account_id
  people = {
    ann = ["developers", "auditors"]
    bob = ["developers"]
    eve = ["auditors"]
  }
}

# --- people

resource "aws_iam_user" "person" {
  for_each = local.people
  name     = each.key
  path     = var.rev == "1" ? "/people/" : "/staff/"
  tags     = { name = each.key }
}

resource "aws_iam_group" "group" {
  for_each = toset(["developers", "auditors", "robots"])
  name     = each.key
}

resource "aws_iam_user_group_membership" "person" {
  for_each = local.people
  user     = aws_iam_user.person[each.key].name
  groups   = [for name in each.value : aws_iam_group.group[name].name]
}

resource "aws_iam_user" "robot" {
  name = "robot"
}

resource "aws_iam_group_membership" "robots" {
  name  = "robots"
  group = aws_iam_group.group["robots"].name
  users = [aws_iam_user.robot.name]
}

resource "aws_iam_access_key" "robot" {
  user = aws_iam_user.robot.name
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length        = var.rev == "1" ? 12 : 16
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = false
  allow_users_to_change_password = true
}

# --- policies

data "aws_iam_policy_document" "read_people" {
  statement {
    sid       = "ReadPeople"
    actions   = var.rev == "1" ? ["iam:ListUsers"] : ["iam:ListUsers", "iam:ListGroups"]
    resources = ["*"]
  }
  statement {
    sid       = "OneSelf"
    actions   = ["iam:GetUser", "iam:ListGroupsForUser"]
    resources = ["arn:aws:iam::${local.account}:user/$${aws:username}"]
  }
}

resource "aws_iam_policy" "read_people" {
  name        = "read-people"
  path        = "/team/"
  description = "See who is here"
  policy      = data.aws_iam_policy_document.read_people.json
}

resource "aws_iam_policy" "limits" {
  name_prefix = "limits-"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iam:*", "sts:*", "s3:*"], Resource = "*" }]
  })
}

resource "aws_iam_group_policy_attachment" "read_people" {
  for_each   = toset(["auditors", "robots"])
  group      = aws_iam_group.group[each.key].name
  policy_arn = aws_iam_policy.read_people.arn
}

resource "aws_iam_group_policy" "developers" {
  name   = "assume"
  group  = aws_iam_group.group["developers"].name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = aws_iam_role.deploy.arn }] })
}

resource "aws_iam_user_policy" "robot" {
  name = "deploy"
  user = aws_iam_user.robot.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = aws_iam_role.deploy.arn }]
  })
}

# --- roles

data "aws_iam_policy_document" "trust_team" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = concat([for person in aws_iam_user.person : person.arn], [aws_iam_user.robot.arn])
    }
  }
}

data "aws_iam_policy_document" "trust_machines" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "deploy" {
  name                 = "deploy"
  description          = "Deployments, rev ${var.rev}"
  assume_role_policy   = data.aws_iam_policy_document.trust_team.json
  max_session_duration = var.rev == "1" ? 3600 : 7200
  permissions_boundary = aws_iam_policy.limits.arn
}

resource "aws_iam_role_policy" "deploy" {
  name = "read"
  role = aws_iam_role.deploy.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iam:GetRole", "kms:*"], Resource = "*" }]
  })
}

resource "aws_iam_role" "machine" {
  name_prefix        = "machine-"
  path               = "/machines/"
  assume_role_policy = data.aws_iam_policy_document.trust_machines.json
}

resource "aws_iam_role_policy_attachment" "machine" {
  role       = aws_iam_role.machine.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "machine" {
  name = "machine"
  path = "/machines/"
  role = aws_iam_role.machine.name
}

# --- read again what was made

data "aws_iam_group" "auditors" {
  group_name = aws_iam_group.group["auditors"].name
  depends_on = [aws_iam_user_group_membership.person]
}

data "aws_iam_roles" "machines" {
  path_prefix = "/machines/"
  depends_on  = [aws_iam_role.machine]
}

data "aws_iam_users" "all" {
  depends_on = [aws_iam_user.person, aws_iam_user.robot]
}

output "auditors" {
  value = sort([for user in data.aws_iam_group.auditors.users : user.user_name])
}

output "users" {
  value = sort(data.aws_iam_users.all.names)
}

output "machines" {
  value = length(data.aws_iam_roles.machines.names)
}

output "deploy_role" {
  value = aws_iam_role.deploy.arn
}

output "robot" {
  sensitive = true
  value = {
    accessKeyId     = aws_iam_access_key.robot.id
    secretAccessKey = aws_iam_access_key.robot.secret
  }
}
