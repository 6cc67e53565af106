"""Evaluating a saved model on what the database holds: its own test triplets, or what it has not seen of a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from db.results.pairs import originals, repaints
from db.training import Split, find_triplet_set, triplets_of
from trainer.data.dataset import load_dataset
from trainer.data.dataset_triplets import draw_from_dataset
from trainer.data.embeddings import ImageReference, embed_side_by_side
from trainer.data.originals import group_originals
from trainer.data.shown_parts import shown_parts
from trainer.data.triplet_indices import index_triplets
from trainer.data.triplets import hash_triplets
from trainer.errors import NothingToTrainOn, TripletSetDiffers
from trainer.evaluate.compare import check_embedder, model_spaces
from trainer.evaluate.evaluation import Evaluation, evaluate_head
from trainer.evaluation.evaluated_model import EvaluatedModel
from trainer.evaluation.picture_colours import PictureColours
from trainer.evaluation.robustness import QueryImages, evaluate_alterations
from trainer.model_folder import seen_groups
from trainer.negatives.registry import load_strategy
from trainer.probes.detector import training_sample
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from db.campaigns import Campaign
    from db.engine import Database
    from db.results.pairs import Original, Repaint
    from db.store import Store
    from db.training import Triplet, TripletSet
    from trainer.data.embeddings import Embedder
    from trainer.evaluation.table import RobustnessRow
    from trainer.model_folder import TrainedModel
    from trainer.spaces.side_by_side import SpacesSideBySide

#: Groups of copies of the training side that probes are fitted on.
_PROBED_GROUPS = 2000


def evaluate_saved(database: Database, store: Store, model: TrainedModel, embedder: Embedder, *, altered: bool = False) -> Evaluation:
    """The evaluation on the test split of the triplet set that the model was trained from; with `altered` also of altered queries.

    Raises:
        TripletSetDiffers: the database does not hold the set, or its images were replaced since.
    """
    triplet_set, triplets = _triplets(database, model)
    test = [triplet for triplet in triplets if triplet.part is Split.TEST]
    embedder.load()
    check_embedder(model, embedder)
    known, made = originals(database, triplet_set.campaign_id), repaints(database, triplet_set.campaign_id)
    links = {original.content_hash: original.link for original in known}
    parts = shown_parts(made)
    sides = {Split.TEST: {t.group_key for t in test}, Split.TRAIN: _probed(t.group_key for t in triplets if t.part is Split.TRAIN)}
    hashes = dict.fromkeys(hash_ for t in test for hash_ in (t.anchor_hash, t.positive_hash, t.negative_hash))
    hashes |= dict.fromkeys(_hashes_of(sides[Split.TEST] | sides[Split.TRAIN], known, made))
    spaces = model_spaces(model, embedder)
    embeddings = embed_side_by_side(
        [ImageReference(content_hash=one, link=links.get(one), box=parts.get(one)) for one in hashes],
        spaces.cached_columns(store),
        store=store,
    )
    groups = {original.key: original.group_key for original in known}
    evaluation = evaluate_head(model.head, embeddings.vectors, index_triplets(test, embeddings.rows, groups), spaces=spaces.slices)
    evaluated = EvaluatedModel(
        head=model.head,
        embeddings=embeddings,
        originals=group_originals(known),
        repaints=made,
        test_groups=sides[Split.TEST],
        train_groups=sides[Split.TRAIN],
        spaces=spaces.slices,
        colours=PictureColours(known, made, store),
    )
    return _with_table(evaluation, evaluated, store, spaces, altered=altered)


def evaluate_on_campaign(
    database: Database,
    store: Store,
    model: TrainedModel,
    embedder: Embedder,
    campaign: Campaign,
    *,
    per_repaint: int = 4,
    altered: bool = False,
) -> Evaluation:
    """The evaluation on a whole campaign but the groups of copies that the model has seen, with negatives by the strategy of its training.

    With `altered` also that of altered queries.

    Raises:
        NothingToTrainOn: the model has seen all of the campaign.
        UnknownComponent: the strategy is not installed here.
    """
    strategy = load_strategy(model.config.triplets.negative_strategy)
    clip = ModelSource(location=model.config.clip.location, revision=model.config.clip.revision, dtype=model.config.clip.dtype)
    embedder.load()
    check_embedder(model, embedder)
    dataset = load_dataset(database, store, campaign, embedder=embedder, clip=clip)
    seen = seen_groups(model.directory)
    splits = {group: Split.TEST for group in dataset.group_styles if group not in seen}
    if not splits:
        raise NothingToTrainOn(f"the model was trained on every artwork of campaign {campaign.name!r}: evaluate it on another one")
    drawn = draw_from_dataset(
        dataset, splits, strategy=strategy, per_repaint=per_repaint, seed=model.config.triplets.seed, needed=(Split.TEST,)
    )
    indices = index_triplets(drawn.triplets, dataset.embeddings.rows, dataset.groups_by_key)
    evaluation = evaluate_head(model.head, dataset.embeddings.vectors, indices, spaces=dataset.spaces)
    evaluated = EvaluatedModel(
        head=model.head,
        embeddings=dataset.embeddings,
        originals=dataset.originals,
        repaints=dataset.repaints,
        test_groups=splits,
        train_groups=_probed(seen & dataset.group_styles.keys()),
        spaces=dataset.spaces,
        colours=PictureColours(originals(database, campaign.id), dataset.repaints, store),
    )
    return _with_table(evaluation, evaluated, store, model_spaces(model, embedder), altered=altered)


def _with_table(evaluation: Evaluation, model: EvaluatedModel, store: Store, spaces: SpacesSideBySide, *, altered: bool) -> Evaluation:
    if not len(model.table.repaints):  # all were superseded since: the triplets still name them
        return evaluation
    robustness: list[RobustnessRow] = []
    if altered:
        queries = QueryImages(store=store, embed=spaces.embed_images)
        robustness = evaluate_alterations(model, queries)
    return evaluation.model_copy(update={"table": model.evaluate(breakdowns=("style", "ordinal"), robustness=robustness)})


def _probed(groups: Iterable[str]) -> set[str]:
    """The groups of the training side that probes are fitted on: so many that more would change nothing."""
    ordered = sorted(set(groups))
    drawn = training_sample(np.arange(len(ordered)), most=_PROBED_GROUPS)
    return {ordered[row] for row in drawn.tolist()}


def _hashes_of(groups: set[str], known: Sequence[Original], made: Sequence[Repaint]) -> Iterator[str]:
    """The pictures of these groups."""
    theirs = {original.artwork_id: original.content_hash for original in known if original.group_key in groups}
    yield from theirs.values()
    yield from (repaint.content_hash for repaint in made if repaint.artwork_id in theirs)


def _triplets(database: Database, model: TrainedModel) -> tuple[TripletSet, Sequence[Triplet]]:
    wanted = model.config.triplets
    triplet_set = find_triplet_set(database, wanted.name)
    if triplet_set is None or triplet_set.content_hash != wanted.content_hash:
        raise TripletSetDiffers(
            f"this database does not hold the triplets {wanted.name!r} of {model.directory}: name a campaign to evaluate on"
        )
    triplets = triplets_of(database, triplet_set.id)
    if hash_triplets(triplets) != wanted.content_hash:
        raise TripletSetDiffers(
            f"images of the triplets {wanted.name!r} were replaced since: train again, or name a campaign to evaluate on"
        )
    return triplet_set, triplets
