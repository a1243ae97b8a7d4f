-- Trials and MLflow each have a database of their own: both keep their version in a table `alembic_version`.
CREATE DATABASE mlflow;
