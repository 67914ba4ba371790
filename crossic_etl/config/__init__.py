"""The configuration: YAML files read into frozen dataclasses and checked before Spark starts."""

from crossic_etl.config.errors import ConfigError, UnfitSettingError
from crossic_etl.config.etl import Config
from crossic_etl.config.loading import load_config

__all__ = ["Config", "ConfigError", "UnfitSettingError", "load_config"]
