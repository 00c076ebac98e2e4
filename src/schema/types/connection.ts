import { type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { PageInfo, UnavailableCluster } from './resource.js';

/**
 * The connection and edge types over a type of items.
 * @param name The item's name in the schema; the types are `<name>Connection` and `<name>Edge`.
 * @param plural For descriptions, such as `pods`.
 */
export function connectionOf(item: () => ClassType | (abstract new () => object), name: string, plural: string): ClassType {
  const itemType = item as () => ClassType;

  @ObjectType(`${name}Edge`, { simpleResolvers: true, description: `One of the ${plural} of a page, with its position.` })
  class Edge {
    @Field(() => String, { description: 'The position, for `after`.' })
    cursor!: string;
    @Field(itemType, { description: 'What stands there.' })
    node!: object;
  }

  @ObjectType(`${name}Connection`, { simpleResolvers: true, description: `A page of ${plural}.` })
  class Connection {
    @Field(() => [itemType()], { description: 'The items of the page.' })
    nodes!: object[];
    @Field(() => [Edge], { description: 'The items with their positions.' })
    edges!: Edge[];
    @Field(() => PageInfo, { description: 'What lies before and behind.' })
    pageInfo!: PageInfo;
    @Field(() => Int, { description: 'All that match, on every page; counted only where it is asked for.' })
    totalCount!: number;
    @Field(() => [UnavailableCluster], { description: 'Clusters whose part is missing or stale; empty where the answer is whole.' })
    unavailableClusters!: UnavailableCluster[];
  }

  return Connection;
}
