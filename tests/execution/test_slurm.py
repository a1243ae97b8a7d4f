"""The SLURM recipe of docs/scaling.md: what dask-jobqueue makes of it. Nothing is submitted."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


@pytest.mark.filterwarnings("ignore")
def test_the_job_script_asks_for_what_the_page_says():
    """Eight processes of one thread, one BLAS thread each, in a job of eight cores."""
    dask_jobqueue = pytest.importorskip("dask_jobqueue")
    call = re.search(r"cluster = SLURMCluster\((.*?)\n\)", PAGE.read_text(), re.DOTALL)
    settings = dict(re.findall(r"^    (\w+)=(.*),$", call[1], re.MULTILINE))
    values = {
        name: int(value) if value.isdigit() else value.strip('"[]').replace('"', "")
        for name, value in settings.items()
    }
    values["job_script_prologue"] = [values["job_script_prologue"]]
    with dask_jobqueue.SLURMCluster(
        **values, interface="lo", scheduler_options={"dashboard_address": ":0"}
    ) as cluster:
        script = cluster.job_script()
    for line in ("#SBATCH -p cpu", "#SBATCH -A lab", "#SBATCH --cpus-per-task=8", "#SBATCH -t 02:00:00"):
        assert line in script.splitlines()
    assert "export OPENBLAS_NUM_THREADS=1" in script
    assert "--nthreads 1 " in script
    assert "--nworkers 8 " in script
