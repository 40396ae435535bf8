terraform {
  required_version = ">= 1.4" # the first with terraform_data; nothing is installed: it needs no provider
}
