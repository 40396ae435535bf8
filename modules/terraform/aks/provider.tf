# Credentials come from the environment: ARM_USE_OIDC and what belongs to it, ARM_CLIENT_SECRET, or `az login`.

provider "azurerm" {
  subscription_id                 = var.subscription
  resource_provider_registrations = "none" # 4.x would try some sixty; 5.x does not

  features {
    # An interrupted creation leaves the cluster in the state instead of in the cloud alone; since 4.75.
    persist_id_on_create_before_polling_for_completion = true

    resource_group {
      prevent_deletion_if_contains_resources = false # a destroy takes what was made beside
    }
  }
}
