"""Evaluating a saved model on what the database holds: its own test triplets, or what it has not seen of a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.results.pairs import originals, repaints
from db.training import Split, find_triplet_set, triplets_of
from trainer.data.dataset import load_dataset
from trainer.data.dataset_triplets import draw_from_dataset
from trainer.data.embeddings import ImageReference, embed_side_by_side
from trainer.data.shown_parts import shown_parts
from trainer.data.triplet_indices import index_triplets
from trainer.data.triplets import hash_triplets
from trainer.errors import NothingToTrainOn, TripletSetDiffers
from trainer.evaluate.compare import check_embedder, model_spaces
from trainer.evaluate.evaluation import Evaluation, evaluate_head
from trainer.model_folder import seen_groups
from trainer.negatives.registry import load_strategy
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from db.campaigns import Campaign
    from db.engine import Database
    from db.store import Store
    from db.training import Triplet, TripletSet
    from trainer.data.embeddings import Embedder
    from trainer.model_folder import TrainedModel


def evaluate_saved(database: Database, store: Store, model: TrainedModel, embedder: Embedder) -> Evaluation:
    """The evaluation on the test split of the triplet set that the model was trained from.

    Raises:
        TripletSetDiffers: the database does not hold the set, or its images were replaced since.
    """
    triplet_set, test = _test_triplets(database, model)
    embedder.load()
    check_embedder(model, embedder)
    known = originals(database, triplet_set.campaign_id)
    links = {original.content_hash: original.link for original in known}
    parts = shown_parts(repaints(database, triplet_set.campaign_id))
    hashes = dict.fromkeys(hash_ for t in test for hash_ in (t.anchor_hash, t.positive_hash, t.negative_hash))
    spaces = model_spaces(model, embedder)
    embeddings = embed_side_by_side(
        [ImageReference(content_hash=one, link=links.get(one), box=parts.get(one)) for one in hashes],
        spaces.cached_columns(store),
        store=store,
    )
    groups = {original.key: original.group_key for original in known}
    return evaluate_head(model.head, embeddings.vectors, index_triplets(test, embeddings.rows, groups), spaces=spaces.slices)


def evaluate_on_campaign(
    database: Database, store: Store, model: TrainedModel, embedder: Embedder, campaign: Campaign, *, per_repaint: int = 4
) -> Evaluation:
    """The evaluation on a whole campaign but the groups of copies that the model has seen, with negatives by the strategy of its training.

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
    return evaluate_head(model.head, dataset.embeddings.vectors, indices, spaces=dataset.spaces)


def _test_triplets(database: Database, model: TrainedModel) -> tuple[TripletSet, list[Triplet]]:
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
    return triplet_set, [triplet for triplet in triplets if triplet.part is Split.TEST]
