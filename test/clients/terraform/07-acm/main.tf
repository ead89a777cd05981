resource "aws_acm_certificate" "dns" {
  domain_name               = "suite.test"
  subject_alternative_names = ["*.suite.test", "api.suite.test"]
  validation_method         = "DNS"
  key_algorithm             = "EC_prime256v1"
  options { certificate_transparency_logging_preference = "ENABLED" }
  lifecycle { create_before_destroy = true }
}
resource "aws_acm_certificate" "email" {
  domain_name       = "mail.suite.test"
  validation_method = "EMAIL"
  validation_option {
    domain_name       = "mail.suite.test"
    validation_domain = "suite.test"
  }
}
resource "aws_acm_certificate" "imported" {
  certificate_body = file("${path.module}/cert.pem")
  private_key      = file("${path.module}/key.pem")
}
resource "aws_route53_zone" "z" { name = "suite.test" }
resource "aws_route53_record" "v" {
  for_each = { for o in aws_acm_certificate.dns.domain_validation_options : o.domain_name => o }
  allow_overwrite = true
  name            = each.value.resource_record_name
  records         = [each.value.resource_record_value]
  ttl             = 60
  type            = each.value.resource_record_type
  zone_id         = aws_route53_zone.z.zone_id
}
resource "aws_acm_certificate_validation" "v" {
  certificate_arn         = aws_acm_certificate.dns.arn
  validation_record_fqdns = [for r in aws_route53_record.v : r.fqdn]
  timeouts { create = "90s" }
}
resource "aws_acmpca_certificate_authority" "root" {
  type                            = "ROOT"
  permanent_deletion_time_in_days = 7
  certificate_authority_configuration {
    key_algorithm     = "RSA_2048"
    signing_algorithm = "SHA256WITHRSA"
    subject { common_name = "suite root" }
  }
}
resource "aws_acmpca_certificate" "root" {
  certificate_authority_arn   = aws_acmpca_certificate_authority.root.arn
  certificate_signing_request = aws_acmpca_certificate_authority.root.certificate_signing_request
  signing_algorithm           = "SHA256WITHRSA"
  template_arn                = "arn:aws:acm-pca:::template/RootCACertificate/V1"
  validity {
    type  = "YEARS"
    value = 5
  }
}
resource "aws_acmpca_certificate_authority_certificate" "root" {
  certificate_authority_arn = aws_acmpca_certificate_authority.root.arn
  certificate               = aws_acmpca_certificate.root.certificate
  certificate_chain         = aws_acmpca_certificate.root.certificate_chain
}
resource "aws_acmpca_permission" "acm" {
  certificate_authority_arn = aws_acmpca_certificate_authority.root.arn
  actions                   = ["IssueCertificate", "GetCertificate", "ListPermissions"]
  principal                 = "acm.amazonaws.com"
}
resource "aws_acm_certificate" "private" {
  domain_name               = "int.suite.test"
  certificate_authority_arn = aws_acmpca_certificate_authority.root.arn
  depends_on                = [aws_acmpca_certificate_authority_certificate.root]
}
data "aws_acm_certificate" "d" {
  domain     = "suite.test"
  statuses   = ["ISSUED"]
  key_types  = ["EC_prime256v1"]
  depends_on = [aws_acm_certificate_validation.v]
}
