# A network of its own, so that whatever hangs on it belongs to this cluster: public subnets, and no NAT gateway, which
# costs by the hour and by the byte and is one more thing to leave behind. Nodes take no connection from outside: the
# cluster's security group lets only itself in.

data "aws_availability_zones" "this" {
  region           = var.region
  state            = "available"
  exclude_zone_ids = local.bad_zone_ids

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  region          = coalesce(var.region, "-")
  available_zones = sort(data.aws_availability_zones.this.names)
  default_zones   = length(var.zones) > 0 ? [for zone in var.zones : "${local.region}${zone}"] : slice(local.available_zones, 0, min(2, length(local.available_zones)))

  # The control plane needs two zones, also where all nodes are in one.
  node_zones = distinct(concat(local.default_zones, flatten([for pool in local.pools : pool.zones])))
  more_zones = [for zone in local.available_zones : zone if !contains(local.node_zones, zone)]
  zones      = length(local.node_zones) > 1 ? local.node_zones : concat(local.node_zones, slice(local.more_zones, 0, min(1, length(local.more_zones))))

  network       = coalesce(var.network, "vpc-cni-prefix-delegation")
  prefixes      = local.network == "vpc-cni-prefix-delegation"
  vpc_range     = "10.0.0.0/16" # the largest that a VPC can have
  service_range = "172.20.0.0/16"
  zone_bits     = ceil(log(max(2, length(local.zones)), 2))
  zone_room     = pow(2, 16 - local.zone_bits) - 5 # AWS keeps five addresses of each subnet

  zone_need = {
    for zone in local.zones : zone => sum(concat([0], [
      for name, pool in local.pools : ceil(pool.most / length(pool.zones)) * local.node_addresses[name] if contains(pool.zones, zone)
    ]))
  }
}

resource "aws_vpc" "this" {
  cidr_block           = local.vpc_range
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }

  lifecycle {
    precondition {
      condition     = length(local.refusals) == 0
      error_message = "EKS cannot serve this: ${join("; ", local.refusals)}."
    }
  }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }

  timeouts {
    delete = "20m"
  }
}

resource "aws_subnet" "public" {
  for_each = { for index, zone in local.zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(local.vpc_range, local.zone_bits, each.value)
  map_public_ip_on_launch = true

  tags = {
    Name                                = "${var.name}-${each.key}"
    "kubernetes.io/role/elb"            = "1"
    "kubernetes.io/cluster/${var.name}" = "shared"
  }

  # Interfaces of nodes and load balancers go some time after their owners.
  timeouts {
    delete = "20m"
  }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}
