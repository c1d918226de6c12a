"""What one studies: degrees, joint programmes (3+2 ...), exchanges, language years, with partners and phases."""
