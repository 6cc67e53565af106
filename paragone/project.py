"""A project: one database, image store and broker, and everything that the commands do with them, as plain calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from db.campaigns import Campaign, all_campaigns, find_campaign
from db.durations import parse_duration
from db.enums import FailureKind, Stage
from db.jobs.plan import Selection
from db.runtime import Runtime
from paragone.exchange import DataExchange
from paragone.images import RepaintPair, StoredOriginal, repaint_pairs, stored_originals
from paragone.model import find_similar
from paragone.work import run_workers
from producer.campaign_options import CampaignOptions
from producer.catalogue_artworks import operator_facts
from producer.draining import DrainResult, drain_host
from producer.enqueue import EnqueueResult, enqueue_campaign
from producer.environment import read_settings
from producer.errors import WrongUse
from producer.failures import ReportedFailure, list_failures
from producer.ingest import CatalogueSource, dry_run_ingest, ingest_catalogue
from producer.requeue import RequeueOptions, RequeueResult, requeue_chosen
from producer.status import read_status
from producer.steering import CancelResult, PauseResult, cancel_campaign, pause_campaign, resume_campaign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from PIL.Image import Image

    from db.monitoring.progress import Progress
    from db.settings import Settings
    from producer.cleaning.report import CleaningReport
    from trainer.search.origin_finder import OriginSearch


def open(  # noqa: A001  # `paragone.open`, as `PIL.Image.open`
    data_dir: str | Path | None = None,
    *,
    database_url: str | None = None,
    broker_url: str | None = None,
    store_url: str | None = None,
) -> Project:
    """Open a project; use it as a context manager, or close it.

    What is not given comes from the environment (`PARAGONE_DATA_DIR`, `PARAGONE_DATABASE_URL`, ...), as for the
    command; `""` for a URL means what lies under the data directory, whatever the environment says. The database and
    the store are opened when they are first needed.

    Raises:
        ParagoneError: a setting cannot be used.
    """
    given = {"data_dir": data_dir, "database_url": database_url, "broker_url": broker_url, "store_url": store_url}
    return Project(read_settings(**{name: value for name, value in given.items() if value is not None}))


class Project(DataExchange):
    """What `paragone.open` returns.

    Its calls do what the commands of the same names do and return the objects that their `--json` prints. All may raise
    `DatabaseUnavailable` or `NotInitialised`, and those that take the name of a campaign `UnknownCampaign`: each is a
    `ParagoneError`.
    """

    def __init__(self, settings: Settings) -> None:
        self._runtime = Runtime(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Project {self.settings.data_dir}>"

    @property
    def settings(self) -> Settings:
        """The settings; passwords in them are hidden when printed."""
        return self._runtime.settings

    def close(self) -> None:
        """Close the connections to the database; harmless if there are none. The project may be used again."""
        self._runtime.close()

    def initialise(self, *, adopt_store: bool = False) -> None:
        """Create or migrate the database and the store (`paragone init`); a project without URLs does it by itself.

        Args:
            adopt_store: make what lies at the store's location the project's store: after it was moved, emptied or replaced on purpose.

        Raises:
            StoreUnavailable: the store that the database knows is not there.
        """
        self._runtime.initialise(adopt_store_there=adopt_store)

    def ingest(
        self,
        catalogue: str | Path,
        images: str | Path | None = None,
        *,
        file_list: str | Path | None = None,
        artist: str | None = None,
        style: str | None = None,
        template: str | Path | None = None,
        link: bool = False,
        dry_run: bool = False,
    ) -> CleaningReport:
        """Register the artworks of a catalogue; doing it again takes what is new, repaired or changed.

        Args:
            catalogue: a `classes.csv` (also .gz), a folder of images, another CSV, or a file list.
            images: image root; the catalogue's own folder if not given.
            file_list: paths that stand in for the tree, one a line; no image is opened.
            artist: the artist of all artworks that have none.
            style: the style of all artworks that have none.
            template: a CSV to write, with a row for each picture, to be filled in and ingested.
            link: leave images where they are instead of copying them into the store; for one machine.
            dry_run: read, open and report, but write nothing.

        Raises:
            CatalogueUnreadable: the catalogue cannot be read as a whole.
            WrongUse: a name that means none, or a template that exists already.
        """
        source = CatalogueSource(
            catalogue=Path(catalogue),
            images=None if images is None else Path(images),
            file_list=None if file_list is None else Path(file_list),
            given=operator_facts(artist=artist, style=style),
            exclude=(self.settings.data_dir,),
        )
        if dry_run:
            return dry_run_ingest(source)
        store = None if link else self._runtime.store
        return ingest_catalogue(
            source,
            database=self._runtime.database,
            store=store,
            charts=self.settings.data_dir / "reports",
            template=None if template is None else Path(template),
        )

    def enqueue(
        self,
        campaign: str | None = None,
        config: str | Path | Mapping[str, Any] | None = None,
        models: str | Path | None = None,
        *,
        levels: Iterable[str] = (),
        include_incomplete: bool = False,
        limit: int | None = None,
        styles: Iterable[str] = (),
        priority: int = 0,
        dry_run: bool = False,
    ) -> EnqueueResult:
        """Plan what a campaign still lacks; doing it again adds nothing.

        The configuration is frozen when the campaign is opened. Without `config`, `models` and `levels` a campaign keeps its own.

        Args:
            campaign: its name; the configuration's, else the latest, else "default", if not given.
            config: a campaign file, the name of one that ships, or a mapping of what such a file would hold.
            models: a local models directory with a `models.json`, or "pocket", instead of the models that the configuration names.
            levels: only these levels.
            include_incomplete: take artworks without style or artist too; set when a campaign is opened.
            limit: only the first artworks.
            styles: only artworks of these styles.
            priority: of the new jobs; higher goes first.
            dry_run: write nothing, tell what would be planned.

        Raises:
            NothingRegistered: there is no artwork yet.
            NothingToPlan: every artwork that is chosen is left out, and the campaign has none.
            UnknownStyle: no artwork has a style that is asked for.
            CampaignDiffers: the campaign exists with another configuration.
            CampaignCancelled: the campaign was cancelled.
            BadConfiguration: the configuration cannot be used.
            WrongUse: the options do not fit together.
        """
        options = CampaignOptions(
            name=campaign,
            config=str(config) if isinstance(config, Path) else config,
            models=None if models is None else str(models),
            levels=tuple(levels),
            include_incomplete=include_incomplete,
        )
        selection = Selection(styles=tuple(styles), limit=limit, priority=priority)
        return enqueue_campaign(self._runtime, options, selection, dry_run=dry_run)

    def work(self, *, until_idle: bool = True, gpus: str = "", stages: Iterable[Stage | str] = ()) -> Progress:
        """Run workers on this host's devices, as `paragone work` does, and return the status afterwards.

        They are processes of their own, so that this one holds no model; an interrupt stops them. Their log is `workers.log` in the data
        directory.

        Args:
            until_idle: end when no work can be expected any more; otherwise only an interrupt ends it.
            gpus: "all", "none" for the CPU, or such as "0,1"; all that there are if not given.
            stages: only these stages.

        Raises:
            WorkFailed: they ended with an error; what was done until then is kept.
        """
        _ = self._runtime.database, self._runtime.store  # what cannot work is told here
        run_workers(self.settings, gpus=gpus, stages=[found for stage in stages if (found := _stage(stage))], until_idle=until_idle)
        return self.status()

    def status(self, campaign: str | None = None) -> Progress:
        """Counts by stage and state, pace, time left, workers, and what is stuck and why; of one campaign, or of all."""
        return read_status(self._runtime, campaign)

    def failures(
        self, campaign: str | None = None, stage: Stage | str | None = None, kind: FailureKind | str | None = None
    ) -> list[ReportedFailure]:
        """The jobs that were given up, oldest first: of one campaign, or of all."""
        return list_failures(self._runtime, campaign=campaign, stage=_stage(stage), kind=_kind(kind))

    def requeue(
        self,
        campaign: str | None = None,
        stage: Stage | str | None = None,
        kind: FailureKind | str | None = None,
        *,
        error: str | None = None,
        style: str | None = None,
        artwork: str | int | None = None,
        older_than: float | str | None = None,
        all_failed: bool = False,
        done: bool = False,
        where: str | None = None,
        new_seed: bool = False,
        dry_run: bool = False,
    ) -> RequeueResult:
        """Make failed jobs ready again, or done ones to be made anew; every condition must hold.

        Args:
            campaign: only of this campaign; of all, if not given.
            stage: only this stage.
            kind: only failures of this kind.
            error: only failures whose error holds this text.
            style: only artworks of this style.
            artwork: only this artwork, by its id or its key.
            older_than: only jobs that ended longer ago: seconds, or such as "30s", "10m", "2h", "3d".
            all_failed: every failed job.
            done: done jobs instead of failed ones: new results supersede the old.
            where: repaints whose scores fit this filter, such as "similarity > 0.97".
            new_seed: repaint with another seed.
            dry_run: count only.

        Raises:
            WrongUse: no condition is given, or conditions do not fit together.
            UnknownStyle: no artwork has that style.
            UnknownArtwork: no artwork has that id or key.
            CampaignCancelled: the named campaign was cancelled.
        """
        options = RequeueOptions(
            campaign=campaign,
            stage=_stage(stage),
            kind=_kind(kind),
            error=error,
            style=style,
            artwork=None if artwork is None else str(artwork),
            older_than=_seconds(older_than),
            all_failed=all_failed,
            done=done,
            where=where,
        )
        return requeue_chosen(self._runtime, options, new_seed=new_seed, dry_run=dry_run)

    def pause(self, campaign: str | None = None, stage: Stage | str | None = None) -> PauseResult:
        """Claim nothing more of a campaign (the latest, if not named) or of one of its stages; what is claimed is finished."""
        return pause_campaign(self._runtime, campaign, _stage(stage))

    def resume(self, campaign: str | None = None, stage: Stage | str | None = None) -> PauseResult:
        """Let workers claim again what was paused."""
        return resume_campaign(self._runtime, campaign, _stage(stage))

    def cancel(self, campaign: str | None = None, stage: Stage | str | None = None) -> CancelResult:
        """Cancel for good every job that is not done or failed, running ones too; what is done stays. It does not ask."""
        return cancel_campaign(self._runtime, campaign, _stage(stage))

    def drain(self, host: str, *, undo: bool = False) -> DrainResult:
        """Have a host's workers finish what they hold, claim nothing more and end; with `undo`, let it work again.

        Raises:
            UnknownHost: no worker of that host was ever seen.
        """
        return drain_host(self._runtime, host, undo=undo)

    def campaigns(self) -> list[Campaign]:
        """Every campaign with its frozen configuration, oldest first."""
        return all_campaigns(self._runtime.database)

    def originals(self, campaign: str | None = None) -> Iterator[StoredOriginal]:
        """The originals whose image is there, in the order in which they were registered; with a campaign only those that it repaints."""
        chosen = None if campaign is None else find_campaign(self._runtime.database, campaign).id
        return stored_originals(self._runtime.database, self._runtime.store, chosen)

    def pairs(self, campaign: str | None = None, level: str | None = None) -> Iterator[RepaintPair]:
        """The current repaints of a campaign (the latest, if not named) with their originals; of all levels, or one."""
        chosen = find_campaign(self._runtime.database, campaign).id
        return repaint_pairs(self._runtime.database, self._runtime.store, chosen, level)

    def similar(
        self,
        images: Sequence[str | Path | Image],
        *,
        model: str | Path | None = None,
        campaign: str | None = None,
        k: int = 10,
        over: str = "originals",
        views: str = "none",
    ) -> list[OriginSearch]:
        """For each image the pictures of a campaign most like it, and which original it was made from.

        Args:
            images: files, or images in memory.
            model: the folder of a trained model; the latest, if not given.
            campaign: the campaign to search; the one that the model was trained on, if not given.
            k: pictures to return for each image.
            over: "originals", "repaints" or "both".
            views: other views of an image that count too: "none", "mirror" or "mirror+crops".

        Raises:
            MissingExtra: the packages of `paragone[train]` are not installed.
            NoTrainedModel: nothing was trained yet.
            BadImageFile: a file is no image that can be read.
            NothingToSearch: the campaign has no such pictures.
            WrongUse: `k`, `over` or `views` is none of those.
        """
        return find_similar(self._runtime, images, model=model, campaign=campaign, k=k, over=over, views=views)


def _stage(named: Stage | str | None) -> Stage | None:
    if named is not None and named not in set(Stage):
        raise WrongUse(f"there is no stage {str(named)!r}: the stages are {', '.join(Stage)}")
    return None if named is None else Stage(named)


def _kind(named: FailureKind | str | None) -> FailureKind | None:
    if named is not None and named not in set(FailureKind):
        raise WrongUse(f"there is no failure of kind {str(named)!r}: the kinds are {', '.join(FailureKind)}")
    return None if named is None else FailureKind(named)


def _seconds(age: float | str | None) -> float | None:
    try:
        return parse_duration(age) if isinstance(age, str) else age
    except ValueError as error:
        raise WrongUse(str(error)) from None
