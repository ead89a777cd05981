data "aws_iam_policy_document" "key" {
  statement {
    sid       = "root"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${local.account}:root"]
    }
  }
  statement {
    sid       = "svc"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.user.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:app"
      values   = ["web"]
    }
  }
}
resource "aws_iam_role" "user" {
  name               = "kms-user"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_kms_key" "main" {
  description             = "main key rev ${var.rev}"
  enable_key_rotation     = true
  rotation_period_in_days = var.rev == "1" ? 180 : 365
  deletion_window_in_days = 7
  policy                  = data.aws_iam_policy_document.key.json
}
resource "aws_kms_alias" "main" {
  name          = "alias/suite/main"
  target_key_id = var.rev == "1" ? aws_kms_key.main.key_id : aws_kms_key.second.key_id
}
resource "aws_kms_key" "second" {
  description             = "second"
  deletion_window_in_days = 7
  is_enabled              = var.rev == "1"
}
resource "aws_kms_key" "sign_rsa" {
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 7
}
resource "aws_kms_key" "sign_ecc" {
  customer_master_key_spec = "ECC_SECG_P256K1"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 7
}
resource "aws_kms_key" "hmac" {
  customer_master_key_spec = "HMAC_256"
  key_usage                = "GENERATE_VERIFY_MAC"
  deletion_window_in_days  = 7
}
resource "aws_kms_key" "agree" {
  customer_master_key_spec = "ECC_NIST_P384"
  key_usage                = "KEY_AGREEMENT"
  deletion_window_in_days  = 7
}
resource "aws_kms_key" "mr" {
  multi_region            = true
  deletion_window_in_days = 7
}
provider "aws" {
  alias                   = "eu"
  region                  = "eu-west-1"
  skip_metadata_api_check = true
  max_retries             = 2
}
resource "aws_kms_replica_key" "eu" {
  provider                = aws.eu
  primary_key_arn         = aws_kms_key.mr.arn
  deletion_window_in_days = 7
}
resource "aws_kms_key_policy" "second" {
  key_id = aws_kms_key.mr.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "r", Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "arn:aws:iam::${local.account}:root" } }] })
}
resource "aws_kms_grant" "g" {
  name              = "grant"
  key_id            = aws_kms_key.main.key_id
  grantee_principal = aws_iam_role.user.arn
  operations        = ["Encrypt", "Decrypt", "GenerateDataKey"]
  constraints {
    encryption_context_equals = { Department = "Finance" }
  }
}
resource "aws_kms_ciphertext" "c" {
  key_id    = aws_kms_key.main.key_id
  plaintext = "hello"
  context   = { app = "web" }
}
resource "aws_kms_external_key" "ext" {
  description             = "byok"
  deletion_window_in_days = 7
  key_material_base64     = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
  enabled                 = true
}
data "aws_kms_key" "k" { key_id = aws_kms_alias.main.name }
data "aws_kms_public_key" "rsa" { key_id = aws_kms_key.sign_rsa.key_id }
data "aws_kms_secrets" "s" {
  secret {
    name    = "x"
    payload = aws_kms_ciphertext.c.ciphertext_blob
    context = { app = "web" }
  }
}
output "plain" { 
  value = data.aws_kms_secrets.s.plaintext["x"] == "hello"
  sensitive = true 
}
