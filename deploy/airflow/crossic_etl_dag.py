"""The pipeline as a DAG of Airflow 3: a task for each job, every month, never two runs at a time.

Put this file into Airflow's folder of DAGs. Its tasks run where a checkout of the project is; the
variables (Admin, Variables) say where, and how jobs are submitted there:

    crossic_etl_home    the checkout: /opt/crossic-etl
    crossic_etl_config  the configuration: /etc/crossic-etl/config.yaml
    crossic_etl_submit  deploy/spark-submit.sh --master spark://host:7077, or on one machine
                        .venv/bin/python

A run takes the dumps of the first of its month, or those of the parameter ``date``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param

# In this order, one after the other: a table has one writer at a time.
JOBS = (
    "pages",
    "links",
    "pairs",
    "documents",
    "embeddings",
    "calibrate",
    "neighbours",
    "samples",
    "windows",
)
# What is asked for without `crawl.sources`, or without `neighbours.calibrate`, is an error: remove
# those jobs here if your configuration has none.

# Values come through the environment: nothing that someone types as a parameter is run.
COMMAND = (
    'PYTHONPATH="$PWD" $CROSSIC_ETL_SUBMIT jobs/pipeline.py --config "$CROSSIC_ETL_CONFIG" '
    "--set wikipedia.date=\"'$CROSSIC_ETL_DATE'\" --only "
)

with DAG(
    "crossic_etl",
    description="Wikipedia and web-crawl dumps to cross-lingual training windows",
    schedule="0 3 5 * *",  # dumps of the 1st are complete some days later
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    params={
        "date": Param(
            "", type="string", pattern=r"^(\d{8})?$", description="of the dumps, YYYYMMDD"
        )
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
) as dag:
    tasks = [
        BashOperator(
            task_id=job,
            bash_command=COMMAND + job,
            cwd="{{ var.value.crossic_etl_home }}",
            append_env=True,
            env={
                "CROSSIC_ETL_SUBMIT": "{{ var.value.crossic_etl_submit }}",
                "CROSSIC_ETL_CONFIG": "{{ var.value.crossic_etl_config }}",
                "CROSSIC_ETL_DATE": "{{ params.date or dag_run.run_after.strftime('%Y%m01') }}",
            },
        )
        for job in JOBS
    ]
    for before, after in pairwise(tasks):
        before >> after
