# One cluster's worth of each cloud, for the tests of the stub itself.
terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
    aws     = { source = "hashicorp/aws" }
    google  = { source = "hashicorp/google" }
  }
}
variable "due" {
  type    = string
  default = "1"
}
variable "pools" {
  type    = set(string)
  default = ["a"]
}
variable "location" {
  type    = string
  default = "westeurope"
}
provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"
  features {}
}
provider "aws" {
  region = "us-east-2"
  default_tags {
    tags = { telescope_lease = "5eed1e55", due = var.due }
  }
}
provider "google" {
  project        = "a-project"
  region         = "europe-west1"
  default_labels = { telescope_lease = "5eed1e55" }
}
resource "azurerm_resource_group" "this" {
  name     = "group"
  location = var.location
  tags     = { telescope_lease = "5eed1e55" }
}
resource "azurerm_kubernetes_cluster" "this" {
  name                = "cluster"
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  dns_prefix          = "cluster"
  tags                = { telescope_lease = "5eed1e55", due = var.due }
  default_node_pool {
    name       = "system"
    node_count = 1
    vm_size    = "Standard_D4s_v5"
    upgrade_settings {
      max_surge = "1"
    }
  }
  identity {
    type = "SystemAssigned"
  }
  node_provisioning_profile {
    mode = "Manual"
  }
}
resource "azurerm_kubernetes_cluster_node_pool" "this" {
  for_each              = var.pools
  name                  = each.key
  kubernetes_cluster_id = azurerm_kubernetes_cluster.this.id
  vm_size               = "Standard_D4s_v5"
  node_count            = 1
}
data "aws_availability_zones" "this" {
  state = "available"
}
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "network" }
}
resource "aws_subnet" "this" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = data.aws_availability_zones.this.names[0]
}
resource "google_compute_network" "this" {
  name                    = "network"
  auto_create_subnetworks = false
}
resource "google_container_cluster" "this" {
  name                     = "cluster"
  location                 = "europe-west1"
  network                  = google_compute_network.this.id
  initial_node_count       = 1
  remove_default_node_pool = true
  deletion_protection      = false
  resource_labels          = { run_id = "r" }
}
output "kubeconfig" {
  value     = azurerm_kubernetes_cluster.this.kube_config_raw
  sensitive = true
}
output "zone" {
  value = aws_subnet.this.availability_zone
}
