"""The engines behind `crossic_etl.kernels.encoders`, each imported only where it is asked for."""
